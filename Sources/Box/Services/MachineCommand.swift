import BoxNetwork
import CLinux
import Glibc
import NIOPosix

/// What the box asks of the machine it runs on.
struct Machine: Sendable {
    /// Runs a program that may outlive this process, such as the one that shuts the machine down.
    var run: @Sendable (_ words: [String]) async -> ProgramEnd
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

    /// Runs a program.
    /// - Parameters:
    ///   - words: the program, looked for as a shell does, and its arguments.
    ///   - limit: how long it may take; it is killed then, with what it has started.
    ///   - isRead: whether its standard output is read; else it goes where this process' goes.
    static func run(
        _ words: [String], limit: Duration = timeLimit, isRead: Bool = false
    ) async -> (end: ProgramEnd, output: String) {
        let program = RunningProgram()
        let result: (ProgramEnd, String)? = await answer(within: limit) { give in
            threads.submit { state in
                _ = give(state == .active ? follow(program, words, isRead) : (.notStarted(ECANCELED), ""))
            }
        }
        if let result { return result }
        program.signal(SIGKILL, toAll: true)
        return (.tooLong, "")
    }

    /// The same on this thread, however long it takes.
    static func follow(_ program: RunningProgram, _ words: [String], _ isRead: Bool) -> (ProgramEnd, String) {
        var ends: [Int32] = [-1, -1]
        if isRead, CLinux_pipe2(&ends, O_CLOEXEC) != 0 { return (.notStarted(errno), "") }
        let code = program.start(
            words, isRead ? [.nothing, .copy(ends[1]), .nothing] : [.nothing, .inherited, .inherited])
        if isRead { close(ends[1]) }
        let output = isRead ? read(ends[0]) : []
        if isRead { close(ends[0]) }
        return (code == 0 ? program.wait() : .notStarted(code), String(decoding: output, as: UTF8.self))
    }

    private static func read(_ descriptor: Int32) -> [UInt8] {
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
