import BoxNetwork
import CLinux
import Glibc
import NIOPosix
import Synchronization

/// What the box asks of the machine it runs on.
struct Machine: Sendable {
    /// Runs a program that may outlive this process, such as the one that shuts the machine down.
    var run: @Sendable (_ words: [String]) async -> MachineCommand.End
    /// Whether the machine is about to switch itself off; to start anew, it is not.
    var isGoingOff: @Sendable () async -> Bool

    /// This machine.
    static let this = Machine(
        run: { await MachineCommand.run($0).end },
        isGoingOff: {
            // While it goes, that is a job of systemd's; where nothing can be learned, nothing is claimed.
            let command = ["systemctl", "--no-pager", "--no-legend", "--plain", "--full", "list-jobs"]
            return goesOff(jobs: await MachineCommand.run(command, limit: .seconds(3), isRead: true).output)
        })

    /// - Parameter jobs: what `systemctl list-jobs` says: number, unit, job, state.
    static func goesOff(jobs: String) -> Bool {
        jobs.split(separator: "\n").contains { line in
            let fields = line.split(separator: " ")
            return fields.count >= 3 && ["poweroff.target", "halt.target"].contains(fields[1]) && fields[2] == "start"
        }
    }
}

/// A program that is run to its end, on a thread that nothing else needs.
enum MachineCommand {
    /// How it ended.
    enum End: Equatable, Sendable, CustomStringConvertible {
        /// By itself; 0 is success.
        case exited(Int32)
        /// By a signal.
        case killed(Int32)
        /// It was not started: the number of an error (`errno`).
        case notStarted(Int32)
        /// It did not end in time, and was killed, or never got as far as to start.
        case tooLong

        var description: String {
            switch self {
            case .exited(let status): "it ended with status \(status)"
            case .killed(let signal): "signal \(signal) ended it"
            case .notStarted(let code): "it could not be started: \(String(cString: strerror(code)))"
            case .tooLong: "it did not end in time"
            }
        }
    }

    /// How long a program may take. systemctl itself waits 25 seconds for an answer, and says then what is wrong.
    static let timeLimit = Duration.seconds(30)
    /// What is read of its words, in octets.
    private static let outputLimit = 64 * 1024
    /// One for what is asked of the machine while the other one's program takes its time.
    private static let threads = {
        let threads = NIOThreadPool(numberOfThreads: 2)
        threads.start()
        return threads
    }()

    private struct Running {
        var pid: pid_t?
        var isStopped = false
    }

    /// Runs a program.
    /// - Parameters:
    ///   - words: the program, looked for as a shell does, and its arguments.
    ///   - limit: how long it may take; it is killed then, with what it has started.
    ///   - isRead: whether its standard output is read; else it goes where this process' goes.
    static func run(
        _ words: [String], limit: Duration = timeLimit, isRead: Bool = false
    ) async -> (end: End, output: String) {
        let program = Program()
        let result: (End, String)? = await answer(within: limit) { give in
            threads.submit { state in
                _ = give(state == .active ? program.run(words, isRead) : (.notStarted(ECANCELED), ""))
            }
        }
        if let result { return result }
        program.kill()
        return (.tooLong, "")
    }

    private final class Program: Sendable {
        private let running = Mutex(Running())

        func kill() {
            running.withLock { running in
                running.isStopped = true
                // Not yet waited for, so the number is still its own, and that of its group.
                if let pid = running.pid { _ = Glibc.kill(-pid, SIGKILL) }
            }
        }

        func run(_ words: [String], _ isRead: Bool) -> (End, String) {
            var ends: [Int32] = [-1, -1]
            if isRead, CLinux_pipe2(&ends, O_CLOEXEC) != 0 { return (.notStarted(errno), "") }
            let code = running.withLock { running -> Int32 in
                guard !running.isStopped else { return ECANCELED }
                var pid = pid_t()
                let code = spawn(words, output: isRead ? ends[1] : nil, &pid)
                if code == 0 { running.pid = pid }
                return code
            }
            if isRead { close(ends[1]) }
            let output = isRead ? read(ends[0]) : []
            if isRead { close(ends[0]) }
            guard code == 0, let pid = running.withLock({ $0.pid }) else { return (.notStarted(code), "") }
            // Wait without reaping, forget the number, and only then let the system give it to another process.
            var information = siginfo_t()
            while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
            running.withLock { $0.pid = nil }
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0 {
                guard errno == EINTR else { return (.notStarted(errno), "") }
            }
            return (
                status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .killed(status & 0x7F),
                String(decoding: output, as: UTF8.self)
            )
        }

        private func spawn(_ words: [String], output: Int32?, _ pid: inout pid_t) -> Int32 {
            guard let program = words.first else { return EINVAL }
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            defer { posix_spawn_file_actions_destroy(&actions) }
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            if let output {
                posix_spawn_file_actions_adddup2(&actions, output, 1)
                posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
            }
            CLinux_spawn_closefrom(&actions, 3)
            var attributes = posix_spawnattr_t()
            posix_spawnattr_init(&attributes)
            defer { posix_spawnattr_destroy(&attributes) }
            // What this process blocks or ignores, a program that is started would take over.
            var none = sigset_t()
            sigemptyset(&none)
            var all = sigset_t()
            sigfillset(&all)
            posix_spawnattr_setsigmask(&attributes, &none)
            posix_spawnattr_setsigdefault(&attributes, &all)
            posix_spawnattr_setpgroup(&attributes, 0)
            posix_spawnattr_setflags(
                &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
            var arguments = words.map { strdup($0) } + [nil]
            defer { for argument in arguments { free(argument) } }
            return posix_spawnp(&pid, program, &actions, &attributes, &arguments, environ)
        }

        private func read(_ descriptor: Int32) -> [UInt8] {
            var octets: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 4096)
            while octets.count < outputLimit {
                let count = Glibc.read(descriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                octets += buffer[..<count]
            }
            return octets
        }
    }
}
