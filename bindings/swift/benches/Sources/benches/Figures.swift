import Foundation

/// What was measured: printed, and written where `SEATPORT_FIGURES` says.
func figure(_ what: String, _ value: Double, _ unit: String, atMost bound: Double? = nil) {
    let bound = bound.map { "<= \($0)" } ?? ""
    let value = String(format: "%.3f", value)
    print("\(what): \(value) \(unit) \(bound)")
    guard let path = ProcessInfo.processInfo.environment["SEATPORT_FIGURES"] else { return }
    guard let file = FileHandle(forWritingAtPath: path) else { fatalError("\(path) cannot be written") }
    file.seekToEndOfFile()
    file.write(Data("\(what)\t\(value)\t\(unit)\t\(bound)\n".utf8))
    try? file.close()
}

/// Resident memory, in KiB.
func resident() throws -> Double {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return Double(line?.split(separator: " ").dropLast().last ?? "") ?? .nan
}
