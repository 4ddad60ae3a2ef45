import BoxNetwork
import CLinux
import Glibc
import Synchronization

/// A program that runs for this process and does not outlive it.
///
/// A thread of its own starts it, reads what it says on standard error line by line, and waits for its end. The kernel's
/// signal at a parent's death (prctl(2), `PR_SET_PDEATHSIG`) comes when the thread that started a child ends, so that thread
/// must be there as long as the child is; `setpriv` asks for it on the child's side.
final class ChildProcess: Sendable {
    /// What is run.
    struct Command: Sendable {
        /// The path of the program, then its arguments.
        var arguments: [String]
        /// What it reads on standard input, 64 KB at most: as much as a pipe takes at once.
        var input: [UInt8] = []
        /// A descriptor for its standard output; nil for `/dev/null`. It is closed here once the program has it.
        var output: Int32?
    }

    /// Longer lines are cut.
    static let lineLimit = 1000
    /// How long a program that is run to its end may take.
    static let timeLimit = Duration.seconds(5)

    private let program = RunningProgram()

    private init() {}

    /// Starts a program.
    /// - Parameters:
    ///   - command: what is run.
    ///   - onLine: called for each line it says, on a thread of its own.
    ///   - onEnd: called once, on the same thread, when it has ended.
    static func start(
        _ command: Command, onLine: @escaping @Sendable (String) -> Void,
        onEnd: @escaping @Sendable (ProgramEnd) -> Void
    ) -> ChildProcess {
        let child = ChildProcess()
        let started = startThread { onEnd(child.run(command, onLine: onLine)) }
        if started != 0 {
            command.output.map { _ = close($0) }
            onEnd(.notStarted(started))
        }
        return child
    }

    /// Runs a program to its end. One that takes too long is killed.
    /// - Parameter limit: how long it may take.
    /// - Returns: how it ended, and the first lines it said.
    static func run(
        _ command: Command, limit: Duration = timeLimit
    ) async -> (end: ProgramEnd, words: [String]) {
        let lines = Mutex<[String]>([])
        let latest = ContinuousClock.now + limit
        var timer: Task<Void, any Error>?
        let end = await withCheckedContinuation { continuation in
            let child = start(
                command,
                onLine: { line in lines.withLock { if $0.count < 8 { $0.append(line) } } },
                onEnd: { continuation.resume(returning: $0) })
            timer = Task {
                try await Task.sleep(for: limit)
                child.signal(SIGKILL)
            }
        }
        timer?.cancel()
        let isLate = end == .killed(SIGKILL) && ContinuousClock.now >= latest
        return (isLate ? .tooLong : end, lines.withLock { $0 })
    }

    /// Sends a signal, if the program still runs. One that has not been started yet will not be.
    func signal(_ number: Int32) { program.signal(number) }

    // MARK: On the thread

    private func run(_ command: Command, onLine: (String) -> Void) -> ProgramEnd {
        defer { command.output.map { _ = close($0) } }
        var input: [Int32] = [-1, -1]
        var words: [Int32] = [-1, -1]
        guard CLinux_pipe2(&input, O_CLOEXEC) == 0 else { return .notStarted(errno) }
        guard CLinux_pipe2(&words, O_CLOEXEC) == 0 else {
            let code = errno
            input.forEach { close($0) }
            return .notStarted(code)
        }
        // Nobody reads yet: what the pipe does not take at once it never would.
        _ = fcntl(input[1], F_SETFL, O_NONBLOCK)
        let written = command.input.withUnsafeBytes { write(input[1], $0.baseAddress, $0.count) }
        close(input[1])
        var code: Int32 = 0
        if written != command.input.count {
            code = E2BIG
        } else {
            code = program.start(
                command.arguments,
                environment: ["PATH=\(Program.directories.joined(separator: ":"))", "LC_ALL=C"],
                [.copy(input[0]), command.output.map { .copy($0) } ?? .nothing, .copy(words[1])])
        }
        close(input[0])
        close(words[1])
        defer { close(words[0]) }
        guard code == 0 else { return .notStarted(code) }
        Self.read(linesOf: words[0], onLine)
        return program.wait()
    }

    private static func read(linesOf descriptor: Int32, _ onLine: (String) -> Void) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var line: [UInt8] = []
        func end() {
            if !line.isEmpty { onLine(String(decoding: line, as: UTF8.self)) }
            line.removeAll(keepingCapacity: true)
        }
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            for byte in buffer[..<count] {
                if byte == UInt8(ascii: "\n") { end() } else if line.count < lineLimit { line.append(byte) }
            }
        }
        end()
    }
}

/// A program of the system's.
enum Program {
    /// Where programs of administrators are, whatever a person's `PATH` is.
    static let directories = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin"]

    /// The path of a program; nil when it is not installed.
    static func path(of name: String) -> String? {
        directories.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }
}

/// Starts a thread that runs `body` and ends.
/// - Returns: 0, or the number of an error.
private func startThread(_ body: @escaping @Sendable () -> Void) -> Int32 {
    final class Work {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    let work = Unmanaged.passRetained(Work(body))
    var thread = pthread_t()
    let code = pthread_create(
        &thread, &attributes,
        { argument in
            // The work goes before the thread does what may take days.
            guard let argument else { return nil }
            let body = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body
            body()
            return nil
        }, work.toOpaque())
    if code != 0 { work.release() }
    return code
}
