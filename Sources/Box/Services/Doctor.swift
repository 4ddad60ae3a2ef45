import BoxCertificates
import BoxConfiguration
import BoxHub
import BoxLAN
import BoxNetwork
import BoxState
import Glibc
import Wire

/// `kibitz-local doctor`: each thing the box needs, checked, with the mend.
public struct Doctor {
    /// What came of one check.
    public struct Finding: Sendable {
        /// What was looked at.
        public let subject: String
        /// What was found.
        public let detail: String
        /// What to do, when something is wrong.
        public let mend: String?
        /// Whether the box can't do its work until it is mended.
        public let isFatal: Bool
    }

    let options: BoxOptions
    private var findings: [Finding] = []

    /// Makes a doctor for a box that would run with these options.
    public init(options: BoxOptions) {
        self.options = options
    }

    /// Looks at everything.
    public mutating func examine() -> [Finding] {
        findings = []
        guard let configuration = examineConfiguration() else { return findings }
        let running = examineState(configuration)
        examineAddresses(configuration)
        examinePorts(configuration, running: running)
        examineHub(configuration, running: running)
        examineWiFi(configuration, isRunning: running != nil)
        examinePanel(configuration)
        examineButton(configuration)
        examineCertificate(configuration)
        examineSite(configuration)
        examineGroup(configuration)
        examineClock()
        examineDescriptors()
        return findings
    }

    mutating func fine(_ subject: String, _ detail: String) {
        findings.append(Finding(subject: subject, detail: detail, mend: nil, isFatal: false))
    }

    mutating func wrong(_ subject: String, _ detail: String, mend: String, fatal: Bool = true) {
        findings.append(Finding(subject: subject, detail: detail, mend: mend, isFatal: fatal))
    }

    private mutating func examineConfiguration() -> BoxConfiguration? {
        do {
            let loaded = try options.loadConfiguration()
            let set = loaded.rows.count { $0.source != "default" }
            fine("configuration", set == 0 ? "nothing is set; the defaults hold" : "\(set) settings, all understood")
            return loaded.configuration
        } catch {
            wrong(
                "configuration", error.description,
                mend: "correct these lines; 'kibitz-local config --sample' shows every key")
            return nil
        }
    }

    /// - Returns: the status of the box that runs with this state, if one does.
    private mutating func examineState(_ configuration: BoxConfiguration) -> Status? {
        let path: String
        do { path = try stateDirectoryPath(options.state) } catch {
            wrong("state directory", error.description, mend: "name one with --state")
            return nil
        }
        do {
            let status = try ControlClient(state: path).status()
            fine("running box", "process \(status.pid), version \(status.version), up \(status.uptime) s")
            for trouble in status.trouble { wrong("running box", trouble, mend: "see its log", fatal: false) }
            fine("state directory", path)
            return status
        } catch .notRunning {
            fine("running box", "none with this state directory")
        } catch {
            wrong(
                "running box", error.description, mend: "run the doctor as the same user as the box, or as root",
                fatal: false)
            return nil
        }
        do {
            // Opening it makes it, takes its lock, and finds out whether it can be written to; as 'run' does.
            let directory = try StateDirectory(path: path)
            try directory.write(Array("ok\n".utf8), to: "doctor")
            try directory.remove("doctor")
            fine("state directory", "\(path) can be written to")
        } catch {
            wrong("state directory", "\(error)", mend: "give this user the directory, or name another with --state")
        }
        return nil
    }

    private mutating func examineAddresses(_ configuration: BoxConfiguration) {
        guard configuration.addresses.isEmpty else {
            return fine(
                "addresses", configuration.addresses.map(\.description).joined(separator: ", ") + " (configured)")
        }
        let found = (try? LocalNetwork.current().addresses) ?? []
        if found.contains(where: { $0.address.isPrivate }) {
            fine("addresses", found.map { "\($0.address) on \($0.interface)" }.joined(separator: ", "))
        } else if configuration.wifi.mode != .none {
            fine("addresses", "none yet; its own Wi-Fi will have one")
        } else {
            wrong(
                "addresses", "no network has a private IPv4 address; only this machine itself can join",
                mend: "connect the machine to a network, or set addresses", fatal: false)
        }
    }

    private mutating func examinePorts(_ configuration: BoxConfiguration, running: Status?) {
        let ports: [(key: String, port: UInt16, type: __socket_type, runs: Int?)] = [
            ("http.port", configuration.http.port, SOCK_STREAM, running?.http),
            ("https.port", configuration.https.port, SOCK_STREAM, running?.https),
            ("stun.port", configuration.stun.port, SOCK_DGRAM, running?.stun),
        ]
        for (key, port, type, runs) in ports {
            let name = "\(port)/\(type == SOCK_STREAM ? "tcp" : "udp")"
            if runs == Int(port) {
                fine(key, "\(name) is the running box's")
                continue
            }
            switch bindError(port: port, type: type) {
            case 0: fine(key, "\(name) is free")
            case EADDRINUSE:
                wrong(
                    key, "\(name) is in use by another program",
                    mend: "stop it ('ss -lnp sport = :\(port)' names it) or set \(key)")
            case EACCES, EPERM:
                wrong(key, "\(name) may be opened only by root", mend: "run as root or set \(key) to 1024 or more")
            case let code: wrong(key, "\(name): \(String(cString: strerror(code)))", mend: "set \(key)")
            }
        }
    }

    private mutating func examineHub(_ configuration: BoxConfiguration, running: Status?) {
        guard configuration.hub.enabled else { return fine("hub", "none is wanted (hub.enabled)") }
        if let port = running?.hub.value {
            fine("hub.port", "\(port)/udp is the running box's")
        } else {
            // What a box that ran before has printed on its codes.
            let known = (try? stateDirectoryPath(options.state)).flatMap { HubIdentity.knownPort(inDirectory: $0) }
            let candidates = (configuration.hub.port ?? known).map { [$0] } ?? HubServer.usualPorts
            if let port = candidates.first(where: { bindError(port: $0, type: SOCK_DGRAM) == 0 }) {
                fine("hub.port", "\(port)/udp is free")
            } else {
                wrong(
                    "hub.port",
                    candidates.map { "\($0)/udp" }.joined(separator: ", ")
                        + (candidates.count == 1 ? " can't be opened" : " can't be opened, none of them"),
                    mend: "stop the program that has it ('ss -lunp' names it), or set hub.port or hub.enabled")
            }
        }
        if configuration.discovery {
            wrong("discovery", HubWords.discovery, mend: "set discovery to false", fatal: false)
            let port = running?.hub.value.flatMap { UInt16(exactly: $0) } ?? configuration.hub.port
            for problem in HubWords.discoveryProblems(configuration, port: port) {
                wrong("discovery", problem, mend: "correct the port, or set discovery to false", fatal: false)
            }
        }
    }

    /// The beginning of a small file; nil where it can't be read.
    static func text(of path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 16384)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// The names in a folder, in order; none where it can't be read.
    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// Whether a process of that name (at most 15 characters count) is there.
    static func isRunning(_ program: String) -> Bool {
        names(in: "/proc").contains { name in
            name.allSatisfy(\.isNumber) && text(of: "/proc/\(name)/comm") == program.prefix(15) + "\n"
        }
    }

    /// Tries to open a port and lets go of it again.
    /// - Parameters:
    ///   - address: at which of the machine's addresses; all, unless it is given.
    ///   - isShared: whether another program may have it too that allows that.
    func bindError(port: UInt16, type: __socket_type, address: UInt32 = INADDR_ANY, isShared: Bool = false) -> Int32 {
        let descriptor = socket(AF_INET, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        var reuse: Int32 = 1
        if type == SOCK_STREAM || isShared {
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = port.bigEndian
        place.sin_addr.s_addr = address.bigEndian
        return withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 ? 0 : errno
            }
        }
    }

    private mutating func examineCertificate(_ configuration: BoxConfiguration) {
        guard let certificate = configuration.certificate else {
            return fine("certificate", "the box makes its own; phones warn until /ca.crt is installed on them")
        }
        do {
            let warnings = try OwnerCertificateFiles(chain: certificate.chain, key: certificate.key).check()
            if warnings.isEmpty { fine("certificate", certificate.chain) }
            for warning in warnings {
                wrong("certificate", warning, mend: "the box loads new files by itself", fatal: false)
            }
        } catch {
            wrong("certificate", "\(error)", mend: "correct certificate.chain and certificate.key")
        }
    }

    private mutating func examineSite(_ configuration: BoxConfiguration) {
        guard let root = configuration.web.root else { return fine("page", "the built-in room page") }
        if access(root + "/index.html", R_OK) == 0 {
            fine("page", root)
        } else {
            wrong(
                "page", "\(root)/index.html: \(String(cString: strerror(errno)))",
                mend: "set web.root to a folder with an index.html")
        }
    }

    private mutating func examineGroup(_ configuration: BoxConfiguration) {
        let group = configuration.control.group
        if getgrnam(group) != nil {
            fine("control socket", "root and the group \(group) may use it")
        } else {
            wrong(
                "control socket", "there is no group \(group): only root and this user may use it",
                mend: "groupadd --system \(group)", fatal: false)
        }
    }

    private mutating func examineClock() {
        // The box works with a wrong clock; an owner's certificate, and a log one wants to read, do not.
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        if parts.tm_year + 1900 >= 2026 {
            fine("clock", "the year is \(parts.tm_year + 1900)")
        } else {
            wrong(
                "clock", "the year is \(parts.tm_year + 1900)",
                mend: "set it with 'timedatectl', or wait for time synchronisation", fatal: false)
        }
    }

    private mutating func examineDescriptors() {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let wanted: rlim_t = 4096
        if limit.rlim_max >= wanted {
            fine("open files", "up to \(limit.rlim_max)")
        } else {
            wrong(
                "open files", "only \(limit.rlim_max) are allowed",
                mend: "raise the limit to \(wanted) ('ulimit -Hn', or LimitNOFILE= of the unit)", fatal: false)
        }
    }
}
