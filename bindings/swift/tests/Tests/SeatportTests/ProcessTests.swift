import Foundation
import Testing

/// What only a process of its own can show.
@Suite(.serialized) struct ProcessTests {
    /// Runs a program; answers its status and what it wrote. Waits without a thread: there are few of them.
    func run(
        _ program: URL, _ arguments: [String], _ environment: [String: String] = [:]
    ) async throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let pipe = Pipe()
        (process.standardOutput, process.standardError) = (pipe, pipe)
        let ended = AsyncStream<Void>.makeStream()
        process.terminationHandler = { _ in ended.continuation.finish() }
        try process.run()
        for await _ in ended.stream {}
        #expect(process.terminationReason == .exit)
        return (process.terminationStatus, String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))
    }

    /// Runs `leaver`, which lies beside the tests.
    func leave(_ way: String, _ environment: [String: String] = [:]) async throws -> (status: Int32, output: String) {
        let beside = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        return try await run(beside.appending(path: "leaver"), [way], environment)
    }

    @Test(.proves("exit_without_close"), .patient, arguments: ["return", "exit", "throw-away"])
    func aProcessEndsByItself(_ way: String) async throws {
        for _ in 0..<5 {
            let (status, output) = try await leave(way)
            #expect(status == 0 && output == "")
        }
    }

    @Test(.proves("version_check"), .patient)
    func anotherLibraryIsRefused() async throws {
        #expect(try await leave("version").output == "opened\n")
        let lies = [
            ("uint32_t ffi_seatport_ffi_uniffi_contract_version(void) { return 1; }", "speaks another language"),
            ("uint16_t uniffi_seatport_ffi_checksum_method_desk_card(void) { return 1; }", "other functions"),
            (
                """
                typedef struct { uint64_t capacity, len; uint8_t *data; } Buffer;
                Buffer uniffi_seatport_ffi_fn_func_library_version(void *status) {
                    static uint8_t text[] = "9.9.9";
                    return (Buffer){ 0, 5, text };
                }
                void ffi_seatport_ffi_rustbuffer_free(Buffer buffer, void *status) {}
                """, "version 9.9.9"
            ),
        ]
        try await withFile { file in
            for (lie, said) in lies {
                let (status, output) = try await leave("version", ["LD_PRELOAD": try await before(lie, file)])
                #expect(status == 0)
                #expect(output.hasPrefix("LibraryMismatch: libseatport_ffi is ") && output.contains(said))
            }
        }
    }

    /// No call of the library panics, so that what one answers then is put before it: as Rust's side of UniFFI says it.
    @Test(.proves("panic"), .patient)
    func aPanicIsAnErrorAndTheInstanceGoesOn() async throws {
        let panics = """
            #include <dlfcn.h>
            typedef struct { uint64_t capacity, len; uint8_t *data; } Buffer;
            typedef struct { int8_t code; Buffer error; } Status;
            #define PANICS_ONCE(name)                                                                     \\
                Buffer name(uint64_t handle, Status *status) {                                            \\
                    static int called = 0;                                                                \\
                    if (!called++) { status->code = 2; return (Buffer){ 0, 0, 0 }; }                      \\
                    return ((Buffer (*)(uint64_t, Status *))dlsym(RTLD_NEXT, #name))(handle, status);     \\
                }
            PANICS_ONCE(uniffi_seatport_ffi_fn_method_seatport_node_id)
            PANICS_ONCE(ffi_seatport_ffi_rust_future_complete_rust_buffer)
            """
        try await withFile { file in
            let (status, output) = try await leave("panic", ["LD_PRELOAD": try await before(panics, file)])
            let panicked = "a call panicked; please report it with the log"
            #expect(status == 0 && output == "\(panicked)\n\(panicked)\nfalse []\n")
        }
    }

    /// A library with these functions, to be loaded before the real one.
    func before(_ functions: String, _ file: String) async throws -> String {
        let directory = URL(filePath: file).deletingLastPathComponent()
        let (source, library) = (directory.appending(path: "before.c"), directory.appending(path: "before.so"))
        try Data("#define _GNU_SOURCE\n#include <stdint.h>\n\(functions)\n".utf8).write(to: source)
        let compiled = try await run(
            URL(filePath: "/usr/bin/env"), ["cc", "-shared", "-fPIC", "-o", library.path, source.path])
        try #require(compiled.status == 0, "\(compiled.output)")
        return library.path
    }
}
