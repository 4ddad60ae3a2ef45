public import BoxState
import Crypto
public import Logging
public import NIOSSL
import SwiftASN1
import Synchronization
public import Wire
import X509

/// What certificate the box shows, for its status and its links.
public struct CertificateStatus: Hashable, Sendable {
    /// Where a certificate comes from.
    public enum Origin: Hashable, Sendable {
        /// The box made it; phones trust it once its authority is installed.
        case box
        /// The owner gave it.
        case owner
    }
    /// Where it comes from.
    public var origin: Origin
    /// The host names it is for, in lower case; one of the owner's may begin with `*.`.
    public var hosts: [String]
    /// The addresses it is for.
    public var addresses: [IPAddress]
    /// When it begins to be valid, in seconds since 1970-01-01 00:00:00 UTC.
    public var notBefore: Int64
    /// When it ceases to be valid, in seconds since 1970-01-01 00:00:00 UTC.
    public var notAfter: Int64
    /// The SHA-256 digest of the certificate in DER: 32 octets.
    public var fingerprint: [UInt8]
    /// What is wrong and what to do, one sentence or two each; empty when all is well.
    public var problems: [String]
    /// Whether one of those is the box's clock and not the certificate: nobody has set it, and it is behind the day on which
    /// the certificate was issued.
    public var isClockBehind = false
}

/// The certificate of the web server: the owner's, or the box's own.
///
/// The box's own is made at the first start and renewed when the box gets another name or address or when it nears its
/// end; ``Dating`` tells how a clock without a battery is lived with. The owner's is loaded again when its files change.
/// While the owner's files are bad the last good certificate stays in use, at the start the box's own.
public final class CertificateSource: Sendable {
    /// How often the owner's files are looked at.
    static let ownerPollInterval = Duration.seconds(5)
    /// How often the clock is looked at when the certificate is the box's own.
    static let clockPollInterval = Duration.seconds(60)
    static let authorityFile = "certificate-authority.pem"
    static let serverFile = "certificate.pem"

    private struct Published {
        var context: NIOSSLContext
        var status: CertificateStatus
        var authority: AuthorityCertificate?
    }
    private struct Wanted: Equatable {
        var hosts: [String]
        var addresses: [IPAddress]
    }
    /// What the last refresh left for the next.
    private struct Work {
        var stamp: [FileStamp]?
        var owner: OwnerCertificate?
        var ownerProblem: String?
        var authority: CertificateAuthority?
        var server: CertificateIdentity?
        var warned: [String] = []
    }

    private let published: Mutex<Published>
    private let wanted: Mutex<Wanted>
    private let work: Mutex<Work>
    private let state: StateDirectory
    private let files: OwnerCertificateFiles?
    private let logger: Logger
    private let clock: @Sendable () -> ClockReading
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    /// Loads the certificate, or makes the box's own.
    /// - Parameters:
    ///   - owner: the owner's files; nil when there are none.
    ///   - hosts: the names by which phones reach the box. The box's own certificate covers those that end in `.local`.
    ///   - addresses: the addresses by which phones reach the box. The box's own certificate covers the private ones.
    ///   - state: where the box's own certificate is kept.
    ///   - logger: gets a line for each change and each problem.
    ///   - clock: reads the calendar clock.
    /// - Throws: ``CertificateError`` when the box's own certificate cannot be made or kept. Bad files of the owner's
    ///   do not throw: they are in ``status``, and ``OwnerCertificateFiles/check(at:)`` tells them beforehand.
    public init(
        owner: OwnerCertificateFiles?, hosts: [String], addresses: [IPAddress], state: StateDirectory, logger: Logger,
        clock: @escaping @Sendable () -> ClockReading = { ClockReading.system() }
    ) throws(CertificateError) {
        self.state = state
        self.files = owner
        self.logger = logger
        self.clock = clock
        (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let wanted = Wanted(hosts: hosts, addresses: addresses)
        self.wanted = Mutex(wanted)
        var work = Work()
        published = Mutex(
            try Self.publish(&work, nil, files: owner, wanted: wanted, state: state, logger: logger, clock: clock()))
        self.work = Mutex(work)
    }

    /// The TLS configuration for a new connection: TLS 1.2 or later, ALPN `http/1.1`. Cheap; ask for each connection.
    public func current() -> NIOSSLContext { published.withLock { $0.context } }

    /// What certificate is shown.
    public var status: CertificateStatus { published.withLock { $0.status } }

    /// The certificate to install on phones; nil while the owner's certificate is shown.
    public var authority: AuthorityCertificate? { published.withLock { $0.authority } }

    /// Tells the names and addresses by which phones now reach the box. Does not wait: ``run()`` issues a new
    /// certificate if the present one does not cover them.
    public func update(hosts: [String], addresses: [IPAddress]) {
        wanted.withLock { $0 = Wanted(hosts: hosts, addresses: addresses) }
        wake.yield()
    }

    /// Keeps the certificate up to date until the task is cancelled. Call it once.
    public func run() async {
        let interval = files == nil ? Self.clockPollInterval : Self.ownerPollInterval
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [wake] in
                while (try? await Task.sleep(for: interval, tolerance: interval / 5)) != nil { wake.yield() }
            }
            for await _ in wakes { refresh() }
            group.cancelAll()
        }
    }

    /// Looks at the files, the clock and the wanted names, and changes the certificate where they ask for it.
    func refresh() {
        let wanted = wanted.withLock { $0 }
        work.withLock { work in
            let previous = published.withLock { $0 }
            do throws(CertificateError) {
                let next = try Self.publish(
                    &work, previous, files: files, wanted: wanted, state: state, logger: logger, clock: clock())
                published.withLock { $0 = next }
            } catch {
                // The present certificate stays; the next look tries again.
                guard previous.status.problems != [error.description] else { return }
                logger.error("\(error)")
                published.withLock {
                    $0.status.problems = [error.description]
                    $0.status.isClockBehind = false
                }
            }
        }
    }
}

// What is to be shown, from what there is.
extension CertificateSource {
    private static func publish(
        _ work: inout Work, _ previous: Published?, files: OwnerCertificateFiles?, wanted: Wanted,
        state: StateDirectory, logger: Logger, clock: ClockReading
    ) throws(CertificateError) -> Published {
        var next: Published
        if let files {
            let context = reload(&work, files: files, logger: logger)
            if let owner = work.owner, let context = context ?? previous?.context {
                next = Published(
                    context: context,
                    status: CertificateStatus(.owner, owner.certificates[0], problems: owner.warnings(at: clock)))
                next.status.isClockBehind = owner.isAhead(of: clock)
            } else {
                next = try own(&work, previous, wanted: wanted, state: state, logger: logger, clock: clock)
            }
            if let problem = work.ownerProblem { next.status.problems.insert(problem, at: 0) }
        } else {
            next = try own(&work, previous, wanted: wanted, state: state, logger: logger, clock: clock)
        }
        for problem in next.status.problems where !work.warned.contains(problem) { logger.warning("\(problem)") }
        work.warned = next.status.problems
        return next
    }

    /// Loads the owner's files if they changed since the last look.
    /// - Returns: the new configuration; nil when nothing changed or the files are bad.
    private static func reload(_ work: inout Work, files: OwnerCertificateFiles, logger: Logger) -> NIOSSLContext? {
        // Taken before reading: what changes in between is read again at the next look.
        let stamp = [FileStamp(files.chain), FileStamp(files.key)]
        guard work.stamp != stamp else { return nil }
        work.stamp = stamp
        do throws(CertificateError) {
            let owner = try OwnerCertificate(files)
            let context = try owner.context()
            work.owner = owner
            work.ownerProblem = nil
            logger.info("using the certificate in \(files.chain)")
            return context
        } catch {
            let meanwhile = work.owner == nil ? "the box's own certificate" : "the certificate it had"
            work.ownerProblem = "The box keeps using \(meanwhile): \(error)"
            return nil
        }
    }

    /// The box's own certificate, made or renewed if need be.
    private static func own(
        _ work: inout Work, _ previous: Published?, wanted: Wanted, state: StateDirectory, logger: Logger,
        clock: ClockReading
    ) throws(CertificateError) -> Published {
        let authority = try ownAuthority(&work, state: state, logger: logger, clock: clock)
        let (names, refused) = PermittedNames.select(hosts: wanted.hosts, addresses: wanted.addresses)
        if work.server == nil, let pem = try keeping({ () throws(StateError) in try state.read(serverFile) }) {
            work.server = CertificateIdentity(pem: pem)
        }
        var context: NIOSSLContext?
        let present = work.server.flatMap { authority.issued($0.certificate) ? $0 : nil }
        let time = Dating.time(
            clock: clock, authority: authority.validity, present: present?.certificate.validity)
        let server: CertificateIdentity
        if let present, present.certificate.names.covers(names),
            !Dating.isDue(server: present.certificate.validity, authority: authority.validity, time: time)
        {
            server = present
            if previous?.status.origin == .box { context = previous?.context }
        } else {
            let validity = Dating.server(at: time, within: authority.validity)
            server = try making { try authority.issue(for: names, validity: validity) }
            let pem = try making { try server.pem() }
            try keeping { () throws(StateError) in try state.write(pem, to: serverFile) }
            logger.info(
                "made a certificate for \((names.hosts + names.addresses.map(\.description)).joined(separator: ", "))")
        }
        work.server = server
        let problems = refused.map {
            "The box's own certificate cannot cover \($0): it is for names ending in .local and private addresses only. "
                + "Give a certificate for it (certificate.chain and certificate.key)."
        }
        return Published(
            context: try making {
                try context
                    ?? makeContext(
                        chain: [NIOSSLCertificate(bytes: server.certificate.der(), format: .der)],
                        key: NIOSSLPrivateKey(bytes: Array(server.key.serializeAsPEM().pemString.utf8), format: .pem))
            },
            status: CertificateStatus(.box, server.certificate, problems: problems),
            authority: AuthorityCertificate(der: authority.der, name: authority.name))
    }

    private static func ownAuthority(
        _ work: inout Work, state: StateDirectory, logger: Logger, clock: ClockReading
    ) throws(CertificateError) -> CertificateAuthority {
        if work.authority == nil, let pem = try keeping({ () throws(StateError) in try state.read(authorityFile) }) {
            work.authority = CertificateAuthority(pem: pem)
            if work.authority == nil {
                logger.error(
                    "\(state.path(of: authorityFile)) is damaged: phones must install the box's new certificate")
            }
        }
        if let authority = work.authority {
            guard Dating.isEnding(authority: authority.validity, clock: clock) else { return authority }
            logger.warning("the box's authority ends: phones must install the box's new certificate")
        }
        let authority = try making { try CertificateAuthority(validity: Dating.authority(at: clock)) }
        let pem = try making { try authority.pem() }
        try keeping { () throws(StateError) in try state.write(pem, to: authorityFile) }
        work.authority = authority
        logger.info("made the box's own authority, \(authority.name)")
        return authority
    }
}

private func keeping<Value>(_ body: () throws(StateError) -> Value) throws(CertificateError) -> Value {
    do throws(StateError) {
        return try body()
    } catch {
        throw .state(error)
    }
}

private func making<Value>(_ body: () throws -> Value) throws(CertificateError) -> Value {
    do {
        return try body()
    } catch {
        throw .internalFault("\(error)")
    }
}

/// A server's TLS configuration.
///
/// TLS 1.2 with the library's ciphers (forward secrecy only) or 1.3, no client certificates, so no trust store is
/// loaded; session tickets, so a phone that returns is spared a signature.
func makeContext(chain: [NIOSSLCertificate], key: NIOSSLPrivateKey) throws -> NIOSSLContext {
    var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
    configuration.minimumTLSVersion = .tlsv12
    // RFC 7301; WebSocket is an upgrade of HTTP/1.1 here.
    configuration.applicationProtocols = ["http/1.1"]
    return try NIOSSLContext(configuration: configuration)
}

extension CertificateStatus {
    fileprivate init(_ origin: Origin, _ certificate: Certificate, problems: [String]) {
        let names = certificate.names
        let der = (try? certificate.der()) ?? []
        self.init(
            origin: origin, hosts: names.hosts, addresses: names.addresses, notBefore: certificate.validity.notBefore,
            notAfter: certificate.validity.notAfter, fingerprint: Array(SHA256.hash(data: der)), problems: problems)
    }
}
