import Echo
import Foundation
import Seatport

// What every transport promises, checked case by case.
let network = EchoNetwork()
let outcomes = try await checkTransport(network: try network.network(), peer: network)
var broken = 0
for outcome in outcomes {
    switch outcome.verdict {
    case .passed: print("passed    \(outcome.name)")
    case .leftOut(let lack): print("left out  \(outcome.name): \(lack)")
    case .failed(let problem):
        broken += 1
        print("FAILED    \(outcome.name): \(problem)")
    }
}
print("\(outcomes.count) cases, \(broken) broken promises")
exit(broken == 0 ? 0 : 1)
