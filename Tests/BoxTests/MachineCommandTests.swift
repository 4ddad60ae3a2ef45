import BoxNetwork
import Foundation
import Testing

@testable import Box

/// Programs that the box runs for the machine.
@Suite struct MachineCommandTests {
    @Test func theEndIsTold() async {
        #expect(await MachineCommand.run(["sh", "-c", "exit 3"]).end == .exited(3))
        #expect(await MachineCommand.run(["sh", "-c", "kill -9 $$"]).end == .killed(9))
        #expect(await MachineCommand.run(["no-such-program-of-any-kind"]).end == .notStarted(ENOENT))
        #expect(await MachineCommand.run([]).end == .notStarted(EINVAL))
    }

    @Test func whatItSaysIsRead() async {
        let result = await MachineCommand.run(["sh", "-c", "echo one; echo two >&2; echo three"], isRead: true)
        #expect(result.end == .exited(0) && result.output == "one\nthree\n")
    }

    @Test("it gets no file of the box's, and no signal is ignored for it")
    func isolation() async throws {
        let pipe = Pipe()
        _ = fcntl(pipe.fileHandleForReading.fileDescriptor, F_SETFD, 0)
        let result = await MachineCommand.run(
            ["sh", "-c", "ls /proc/self/fd | wc -l; grep SigIgn /proc/self/status"], isRead: true)
        let words = result.output.split(whereSeparator: \.isWhitespace)
        try #require(words.count == 3)
        #expect(words[0] == "4", "the three of every program, and the folder that is listed")
        // Numbers 32 and 33 are the C library's own.
        #expect(UInt64(words[2], radix: 16).map { $0 & 0x7FFF_FFFF } == 0)
    }

    @Test("one that hangs is killed with all that it started, and holds up nobody")
    func hanging() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("kibitz-command-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let hanging = await MachineCommand.run(
            ["sh", "-c", "sleep 6000 & echo $! > \(file); sleep 6000; true"], limit: .seconds(1))
        #expect(hanging.end == .tooLong)
        #expect(await MachineCommand.run(["true"]).end == .exited(0))
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let pid = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        func isRunning() -> Bool {
            guard let state = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
            return !state.contains(") Z")
        }
        for _ in 0..<200 where isRunning() { try await Task.sleep(for: .milliseconds(10)) }
        #expect(!isRunning())
    }

    @Test("it has its time where the task that waits is cancelled, as the box' services are at their end")
    func cancelled() async {
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return await MachineCommand.run(["sh", "-c", "sleep 0.2; exit 7"]).end
        }
        task.cancel()
        #expect(await task.value == .exited(7))
    }

    @Test("only a machine that switches itself off goes off")
    func jobs() {
        #expect(
            Machine.goesOff(
                jobs: """
                    1187 kibitz-local.service   stop  running
                    1102 poweroff.target        start waiting
                    1103 shutdown.target        start waiting
                    """))
        #expect(Machine.goesOff(jobs: " 12 halt.target start waiting\n"))
        #expect(!Machine.goesOff(jobs: "1102 reboot.target start waiting\n1103 shutdown.target start waiting\n"))
        #expect(!Machine.goesOff(jobs: "1187 kibitz-local.service stop running\n"))
        #expect(!Machine.goesOff(jobs: "No jobs running.") && !Machine.goesOff(jobs: ""))
    }
}
