import CLinux
import Glibc
import Synchronization

/// How a program ended.
public enum ProgramEnd: Equatable, Sendable, CustomStringConvertible {
    /// By itself, with a status; 0 is success.
    case exited(Int32)
    /// By a signal.
    case killed(Int32)
    /// It was not started: the number of an error (`errno`).
    case notStarted(Int32)
    /// It did not end in time, and was killed, or never got as far as to start.
    case tooLong

    /// What happened, as the end of a sentence.
    public var description: String {
        switch self {
        case .exited(let status): "it ended with status \(status)"
        case .killed(let signal): "signal \(signal) ended it"
        case .notStarted(let code): "it could not be started: \(String(cString: strerror(code)))"
        case .tooLong: "it did not end in time"
        }
    }
}

/// One program from its start to its end. A thread starts it and waits for it, and any other may send it a signal
/// meanwhile.
public final class RunningProgram: Sendable {
    /// What one of a program's first three descriptors is.
    public enum Stream {
        /// What it is in this process.
        case inherited
        /// `/dev/null`.
        case nothing
        /// A copy of this descriptor.
        case copy(Int32)
    }

    private struct State {
        var pid: pid_t?
        var isStopped = false
    }
    private let state = Mutex(State())

    /// Makes a program that has not been started yet.
    public init() {}

    /// Whether there is a program of that name or path, where ``start(_:environment:_:)`` looks for it.
    public static func isThere(_ program: String) -> Bool {
        guard !program.utf8.contains(UInt8(ascii: "/")) else { return access(program, X_OK) == 0 }
        let folders = getenv("PATH").map { String(cString: $0) } ?? "/bin:/usr/bin"
        return folders.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
    }

    /// Starts it, in a process group of its own and with no more than three descriptors: Ctrl-C at the terminal is for the
    /// box alone. No signal stays blocked or ignored because it is here.
    /// - Parameters:
    ///   - arguments: the program's path, or its name, which is looked for as a shell does, and its arguments.
    ///   - environment: its environment; nil: this process's.
    ///   - streams: its standard input, output and error.
    /// - Returns: 0, or the number of an error; `ECANCELED` when a signal came first.
    public func start(_ arguments: [String], environment: [String]? = nil, _ streams: [Stream]) -> Int32 {
        guard let program = arguments.first else { return EINVAL }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, stream) in zip(Int32(0)..., streams) {
            switch stream {
            case .inherited: break
            case .nothing: posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
            case .copy(let descriptor): posix_spawn_file_actions_adddup2(&actions, descriptor, number)
            }
        }
        CLinux_spawn_closefrom(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        return withCStrings(arguments) { arguments in
            withCStrings(environment ?? []) { given in
                state.withLock { state in
                    guard !state.isStopped else { return ECANCELED }
                    var pid = pid_t()
                    let code =
                        environment == nil
                        ? posix_spawnp(&pid, program, &actions, &attributes, arguments, environ)
                        : posix_spawnp(&pid, program, &actions, &attributes, arguments, given)
                    if code == 0 { state.pid = pid }
                    return code
                }
            }
        }
    }

    /// Waits for the end of a program that was started.
    public func wait() -> ProgramEnd {
        guard let pid = state.withLock({ $0.pid }) else { return .notStarted(ESRCH) }
        // Wait without reaping, forget the number, and only then let the system give it to another process.
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        state.withLock { $0.pid = nil }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { return .notStarted(errno) }
        }
        return status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .killed(status & 0x7F)
    }

    /// Sends a signal, if the program still runs. One that has not been started yet will not be.
    /// - Parameter toAll: also to what it has started.
    public func signal(_ number: Int32, toAll: Bool = false) {
        state.withLock { state in
            state.isStopped = true
            // Not yet waited for, so the number is still its own, and that of its group.
            if let pid = state.pid { kill(toAll ? -pid : pid, number) }
        }
    }
}

/// Calls `body` with pointers to copies of `strings` and a null pointer after them, as `execve` wants it.
private func withCStrings<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
    let pointers = strings.map { strdup($0) }
    defer { pointers.forEach { free($0) } }
    return body(pointers + [nil])
}
