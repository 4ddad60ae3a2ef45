import BoxNetwork
import Glibc
import Logging
import SansIO
import Synchronization

/// Keeps dnsmasq running with one configuration, until it is told to stop.
///
/// It runs as a user of its own with only the powers its sockets need. Its configuration comes by standard input and the
/// file of leases as standard output, so that it needs no way into the box's state directory.
final class DnsmasqServer: Sendable {
    /// From an end to the next start: at first, and at most.
    static let backoff = (first: Duration.milliseconds(200), last: Duration.seconds(30))
    /// Who ran this long was well: the next start is soon again.
    static let goodRun = Duration.seconds(60)
    /// How long it has to end by itself before it is ended.
    static let patience = Duration.seconds(1)
    /// Lines it may put into the log: each second, and at once. Phones can make it say things.
    static let lineRate = (rate: 1.0, burst: 30.0)
    /// Where the file of leases is for dnsmasq.
    static let leases = "/proc/self/fd/1"

    private struct State {
        var child: ChildProcess?
        var isStopped = false
        /// What it said last that was a complaint.
        var complaint: String?
        var trouble: String?
        var starts = 0
        var lines = TokenBucket(
            rate: DnsmasqServer.lineRate.rate, burst: DnsmasqServer.lineRate.burst, now: .now)
    }

    private let configuration: String
    private let leasePath: String
    private let logger: Logger
    private let onTrouble: @Sendable () -> Void
    private let state = Mutex(State())

    /// Makes a server; nothing runs yet.
    /// - Parameters:
    ///   - configuration: the text of its configuration.
    ///   - leasePath: the file of leases, made when it is missing.
    ///   - onTrouble: called when ``trouble`` may have changed.
    init(configuration: String, leasePath: String, logger: Logger, onTrouble: @escaping @Sendable () -> Void) {
        self.configuration = configuration
        self.leasePath = leasePath
        self.logger = logger
        self.onTrouble = onTrouble
    }

    /// What is wrong, and how to mend it.
    var trouble: String? { state.withLock { $0.trouble } }

    /// How often it was started.
    var starts: Int { state.withLock { $0.starts } }

    /// Runs it again and again until ``stop()``.
    func run() async {
        var delay = Self.backoff.first
        while !state.withLock({ $0.isStopped }) {
            let begin = ContinuousClock.now
            let end = await runOnce()
            guard !state.withLock({ $0.isStopped }) else { return }
            if ContinuousClock.now - begin >= Self.goodRun { delay = Self.backoff.first }
            let reason = state.withLock { $0.complaint.take() } ?? "\(end)"
            let trouble = "dnsmasq does not run, so phones get no address: \(reason)\(Self.advice(on: reason))"
            state.withLock { $0.trouble = trouble }
            onTrouble()
            logger.error("\(trouble); it is started again in \(delay)")
            try? await Task.sleep(for: delay)
            delay = min(delay * 2, Self.backoff.last)
        }
    }

    /// Ends it; it is gone when ``run()`` returns.
    func stop() {
        let child = state.withLock { state in
            state.isStopped = true
            return state.child
        }
        guard let child else { return }
        child.signal(SIGTERM)
        Task {
            try? await Task.sleep(for: Self.patience)
            child.signal(SIGKILL)
        }
    }

    private func runOnce() async -> String {
        guard let dnsmasq = Program.path(of: "dnsmasq") else { return "it is missing; apt install dnsmasq-base" }
        guard let setpriv = Program.path(of: "setpriv") else { return "setpriv is missing; apt install util-linux" }
        let leases = open(leasePath, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard leases >= 0 else { return "can't open \(leasePath): \(String(cString: strerror(errno)))" }
        // The death of the box ends it, whatever the box dies of. The kernel forgets that wish when a program changes its
        // user, so the user is changed before.
        var arguments = [setpriv, "--pdeathsig", "TERM"]
        if geteuid() == 0, let user = getpwnam("dnsmasq") ?? getpwnam("nobody") {
            let powers = "-all,+net_admin,+net_bind_service,+net_raw"
            arguments += [
                "--reuid", "\(user.pointee.pw_uid)", "--regid", "\(user.pointee.pw_gid)", "--clear-groups",
                "--no-new-privs", "--inh-caps", powers, "--ambient-caps", powers,
            ]
            fchown(leases, user.pointee.pw_uid, user.pointee.pw_gid)
        }
        arguments += [dnsmasq, "--keep-in-foreground", "--conf-file=-", "--log-facility=-"]
        let command = ChildProcess.Command(arguments: arguments, input: Array(configuration.utf8), output: leases)
        let end = await withCheckedContinuation { continuation in
            // Stopped before the child is known here: it is told at once.
            let child = ChildProcess.start(
                command, onLine: { self.hear($0) }, onEnd: { continuation.resume(returning: $0) })
            let isStopped = state.withLock { state in
                state.child = child
                state.starts += 1
                return state.isStopped
            }
            if isStopped { child.signal(SIGTERM) }
        }
        state.withLock { state in
            state.child = nil
            // What it said before somebody killed it is not why it ended.
            if case .killed = end { state.complaint = nil }
        }
        return "\(end)"
    }

    /// A line of its log, such as `dnsmasq-dhcp[12]: no address range available for DHCP request via wlan0`.
    private func hear(_ line: String) {
        let words = Self.words(of: line)
        let isComplaint = Self.isComplaint(words)
        // It says so once its sockets are open.
        let isWell = words.hasPrefix("started, version")
        let isHeard = state.withLock { state in
            if isComplaint { state.complaint = words }
            if isWell {
                state.trouble = nil
                state.complaint = nil
            }
            return state.lines.take(at: .now)
        }
        if isWell { onTrouble() }
        guard isHeard else { return }
        if isComplaint { logger.warning("dnsmasq: \(words)") } else { logger.debug("dnsmasq: \(words)") }
    }

    /// A line without the program's name and number.
    static func words(of line: String) -> String {
        guard line.hasPrefix("dnsmasq"), let colon = line.firstIndex(of: ":") else { return line }
        return String(line[line.index(after: colon)...].drop { $0 == " " })
    }

    /// What to do about a complaint, to follow it; empty where it says so itself.
    static func advice(on complaint: String) -> String {
        complaint.hasSuffix("in use") ? "; stop the other program, 'ss -lunp' names it (port 53 or 67)" : ""
    }

    /// Whether what it says concerns the owner. Without servers to ask it complains at each start, and means well.
    static func isComplaint(_ words: String) -> Bool {
        let signs = ["failed", "cannot", "can't", "error", "bad option", "unknown", "no address", "not ", "in use"]
        // It joins a group of multicast twice when an address has come back.
        return !words.hasPrefix("warning: no upstream servers") && !words.hasPrefix("compile time options")
            && !words.hasSuffix("multicast group: Address already in use")
            && signs.contains { words.contains($0) }
    }
}

extension Timestamp {
    /// The present time.
    static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Timestamp(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }
}
