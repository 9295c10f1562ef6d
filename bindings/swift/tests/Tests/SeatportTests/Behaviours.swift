import Foundation
import Testing

/// Which behaviours of `behaviours.json` a test proves.
struct Proves: TestTrait, SuiteTrait {
    let behaviours: [String]
}

extension Trait where Self == Proves {
    static func proves(_ behaviours: String...) -> Self { Proves(behaviours: behaviours) }
}

/// What is packed, and the lists that all languages share: everything is beside the tests.
enum Beside {
    static let sources = URL(filePath: #filePath).deletingLastPathComponent()
    static let project = sources.deletingLastPathComponent().deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: project.appending(path: path), encoding: .utf8)
    }

    static func list<Row: Decodable>(_ name: String, of: Row.Type) throws -> [Row] {
        try JSONDecoder().decode([Row].self, from: Data(contentsOf: project.appending(path: name)))
    }
}

@Suite struct BehavioursTests {
    struct Behaviour: Decodable {
        let name: String
    }

    /// The words in `.proves("…", "…")` of all tests.
    static let proved: Set<String> = {
        var proved: Set<String> = []
        let files = try? FileManager.default.contentsOfDirectory(at: Beside.sources, includingPropertiesForKeys: nil)
        for file in files ?? [] where file.lastPathComponent != "Behaviours.swift" {
            guard let text = try? String(contentsOf: file, encoding: .utf8) else { continue }
            for piece in text.components(separatedBy: ".proves(").dropFirst() {
                let words = piece.prefix { $0 != ")" }.split(separator: "\"", omittingEmptySubsequences: false)
                for (index, word) in words.enumerated() where index % 2 == 1 { proved.insert(String(word)) }
            }
        }
        return proved
    }()

    @Test func everyBehaviourHasATest() throws {
        let behaviours = try Beside.list("behaviours.json", of: Behaviour.self).map(\.name)
        // The two with a list of their own follow.
        let missing = behaviours.filter { !$0.contains("<") && !Self.proved.contains($0) }
        // The README's program is run by `seatport-bindings`, from a project of its own.
        #expect(missing == ["readme"])
    }

    @Test func everyOperationHasATest() throws {
        let operations = try Self.operations()
        #expect(operations.count > 100)
        let missing = operations.filter { !Self.proved.contains("operation:\($0)") }
        #expect(missing == [])
        let unknown = Self.proved.filter { $0.hasPrefix("operation:") && !operations.contains(String($0.dropFirst(10))) }
        #expect(unknown == [])
    }

    @Test func everyErrorHasATest() throws {
        let generated = try Beside.text("../Seatport/Sources/Seatport/Generated/Seatport.swift")
        let begin = try #require(generated.range(of: "enum SeatportError: Swift.Error"))
        let end = try #require(generated.range(of: "FfiConverterTypeSeatportError", range: begin.upperBound..<generated.endIndex))
        let kinds = generated[begin.upperBound..<end.lowerBound].split(separator: "\n").compactMap { line -> String? in
            let line = line.trimmingCharacters(in: .whitespaces)
            guard line.hasPrefix("case ") else { return nil }
            return line.dropFirst(5).prefix { $0 != "(" }.replacingOccurrences(of: "`", with: "")
        }
        #expect(kinds.count >= 28)
        let cannotBeProvoked = [
            "internal": "a fault in Seatport itself; a panic is one, see PanicTests where the library can be made to",
            "contended": "another writer has to win several times between two statements",
            "auditBroken": "somebody has to rewrite the database behind its back",
        ]
        let missing = kinds.filter { !Self.proved.contains("error:\($0)") && cannotBeProvoked[$0] == nil }
        #expect(missing == [])
    }

    /// What a host can call, read off the package: the methods of the generated classes that are shown, and those of the package.
    static func operations() throws -> Set<String> {
        var operations: Set<String> = []
        let sources = Beside.project.appending(path: "../Seatport/Sources/Seatport")
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        let kinds = ["Seatport", "Desk", "EventFeed", "Consumer", "Watch", "Export", "Messenger", "Phone", "Person", "Group", "Network"]
        for case let file as URL in files where file.pathExtension == "swift" {
            var kind: String?
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                for prefix in ["public final class ", "extension "] where line.hasPrefix(prefix) {
                    kind = String(line.dropFirst(prefix.count).prefix { $0.isLetter })
                }
                if line.hasPrefix("}"), !line.hasPrefix("})"), file.lastPathComponent != "Seatport.swift" { kind = nil }
                if line.hasPrefix("public protocol") || line.hasPrefix("fileprivate") || line.hasPrefix("struct") { kind = nil }
                guard let kind, kinds.contains(kind) else { continue }
                let word = line.trimmingCharacters(in: .whitespaces)
                for start in ["public func ", "public static func "] where word.hasPrefix(start) {
                    let name = String(word.dropFirst(start.count).prefix { $0.isLetter || $0.isNumber })
                    if name != "makeAsyncIterator" { operations.insert("\(kind).\(name)") }
                }
            }
        }
        return operations
    }
}
