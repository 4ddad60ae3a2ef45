import Foundation
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Testing
import Wire

@testable import BoxCertificates
@testable import BoxState

@Suite struct OwnCertificateTests {
    let directory: TemporaryDirectory
    let now = Int64(Date().timeIntervalSince1970)
    private let home = IPAddress.v4(0xC0A8_0105)
    private let office = IPAddress.v4(0x0A01_0203)

    init() throws { directory = try TemporaryDirectory() }

    private func source(
        _ state: StateDirectory, hosts: [String] = ["kibitz.local"], addresses: [IPAddress]? = nil, clock: TestClock,
        log: LogLines = LogLines()
    ) throws -> CertificateSource {
        try CertificateSource(
            owner: nil, hosts: hosts, addresses: addresses ?? [home], state: state, logger: log.logger,
            clock: { clock.now })
    }

    @Test func itIsMadeOnceAndKept() throws {
        let clock = TestClock(now)
        let (authority, fingerprint) = try {
            let source = try source(StateDirectory(path: directory.path), clock: clock)
            return (source.authority, source.status.fingerprint)
        }()
        let again = try source(StateDirectory(path: directory.path), clock: clock)
        #expect(authority != nil && again.authority == authority)
        #expect(again.status.fingerprint == fingerprint)
        #expect(again.status.origin == .box)
        #expect(again.status.hosts == ["localhost", "kibitz.local"])
        #expect(again.status.addresses.contains(home))
        #expect(again.status.problems.isEmpty)
        let mode = try FileManager.default.attributesOfItem(atPath: "\(directory.path)/certificate.pem")[
            .posixPermissions]
        #expect(mode as? Int == 0o600)
    }

    @Test func aNewAddressGetsANewCertificateAndALostOneDoesNot() throws {
        let source = try source(StateDirectory(path: directory.path), clock: TestClock(now))
        let authority = source.authority
        let (context, fingerprint) = (source.current(), source.status.fingerprint)
        source.refresh()
        #expect(source.current() === context)
        source.update(hosts: ["kibitz.local"], addresses: [])
        source.refresh()
        #expect(source.status.fingerprint == fingerprint && source.current() === context)
        source.update(hosts: ["kibitz.local"], addresses: [office])
        source.refresh()
        #expect(source.status.fingerprint != fingerprint && source.current() !== context)
        #expect(source.status.addresses.contains(office) && !source.status.addresses.contains(home))
        #expect(source.authority == authority)
    }

    @Test func namesItCannotCoverAreTold() throws {
        let log = LogLines()
        let source = try source(
            StateDirectory(path: directory.path), hosts: ["box.example.org"], clock: TestClock(now), log: log)
        #expect(source.status.problems.count == 1)
        #expect(source.status.problems.first?.contains("box.example.org") == true)
        source.refresh()
        #expect(log.lines.filter { $0.contains("box.example.org") }.count == 1)
        source.update(hosts: ["kibitz.local"], addresses: [home])
        source.refresh()
        #expect(source.status.problems.isEmpty)
    }

    @Test func theClockJumps() throws {
        let state = try StateDirectory(path: directory.path)
        let clock = TestClock(0, isSynchronized: false)
        let source = try source(state, clock: clock)
        let authority = source.authority
        let first = source.status
        #expect(first.notBefore < now && now < first.notAfter)
        // A time service is reached.
        clock.set(now, isSynchronized: true)
        source.refresh()
        #expect(source.status.fingerprint == first.fingerprint)
        // Two years later.
        clock.set(now + 790 * Validity.day, isSynchronized: true)
        source.refresh()
        let second = source.status
        #expect(second.fingerprint != first.fingerprint)
        #expect(second.notAfter > now + 1500 * Validity.day)
        // A start without the Internet, and so with an old time.
        clock.set(now, isSynchronized: false)
        source.refresh()
        #expect(source.status == second)
        // A clock gone mad.
        clock.set(now + 40_000 * Validity.day, isSynchronized: false)
        source.refresh()
        #expect(source.status == second)
        #expect(source.authority == authority)
        // A clock that ran ahead within the authority's years, and was then put right.
        clock.set(now + 2000 * Validity.day, isSynchronized: false)
        source.refresh()
        #expect(source.status.notBefore > now + 1900 * Validity.day)
        clock.set(now + 790 * Validity.day, isSynchronized: true)
        source.refresh()
        #expect(source.status.notBefore < now + 790 * Validity.day && source.status.notAfter > now + 790 * Validity.day)
        #expect(source.authority == authority)
        // Ten years on.
        clock.set(now + 3700 * Validity.day, isSynchronized: true)
        source.refresh()
        #expect(source.authority != authority)
        #expect(source.status.notAfter > now + 4400 * Validity.day)
    }

    @Test func damagedFilesAreMadeAnew() throws {
        let state = try StateDirectory(path: directory.path)
        let clock = TestClock(now)
        let before = try source(state, clock: clock)
        try state.write(Array("garbage".utf8), to: "certificate.pem")
        let after = try source(state, clock: clock)
        #expect(after.authority == before.authority)
        #expect(after.status.fingerprint != before.status.fingerprint)
        try state.write([0xFF], to: "certificate-authority.pem")
        let log = LogLines()
        let anew = try source(state, clock: clock, log: log)
        #expect(anew.authority != before.authority)
        #expect(log.lines.contains { $0.contains("certificate-authority.pem is damaged") })
        #expect(anew.status.fingerprint != after.status.fingerprint, "the old one is not of the new authority")
    }

    @Test(.timeLimit(.minutes(1))) func runRenewsWhenTold() async throws {
        let source = try source(StateDirectory(path: directory.path), clock: TestClock(now))
        let task = Task { await source.run() }
        source.update(hosts: ["kibitz.local"], addresses: [office])
        while !source.status.addresses.contains(office) { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        await task.value
    }

    @Test func openSSLShakesHands() async throws {
        let source = try source(StateDirectory(path: directory.path), clock: TestClock(now))
        let authority = try #require(source.authority)
        let der = try directory.put(authority.der, at: "ca.crt")
        try run("openssl", "x509", "-inform", "DER", "-in", der, "-out", "\(directory.path)/ca.pem")
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: source.current()))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        func connect(_ options: String) throws -> (status: Int32, output: String) {
            try run(
                ["openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", "\(directory.path)/ca.pem"]
                    + ["-verify_return_error"] + options.split(separator: " ").map(String.init))
        }
        for options in [
            "-verify_ip 127.0.0.1", "-verify_hostname kibitz.local -tls1_2", "-verify_ip 192.168.1.5 -tls1_3",
        ] {
            let result = try connect(options + " -alpn http/1.1")
            #expect(result.status == 0 && result.output.contains("Verify return code: 0 (ok)"), "\(result.output)")
            #expect(result.output.contains("ALPN protocol: http/1.1"))
        }
        #expect(try connect("-verify_hostname www.example.org").status != 0)
        #expect(try connect("-tls1_1 -cipher DEFAULT@SECLEVEL=0").status != 0)
        // The next connection has the new certificate.
        source.update(hosts: ["kibitz.local"], addresses: [office])
        source.refresh()
        #expect(try connect("-verify_ip 10.1.2.3").status == 0)
        try await server.close()
    }
}

@Suite struct OwnerCertificateTests {
    let directory: TemporaryDirectory
    let files: OwnerCertificateFiles
    /// A minute on, by when the certificates of the test are made and valid.
    let now = Int64(Date().timeIntervalSince1970) + 60

    init() throws {
        directory = try TemporaryDirectory()
        files = OwnerCertificateFiles(chain: "\(directory.path)/chain.pem", key: "\(directory.path)/key.pem")
    }

    /// Makes a self-signed certificate for `host` at `chain` and `key`.
    private func make(_ host: String, chain: String = "chain.pem", key: String = "key.pem", algorithm: [String] = [])
        throws
    {
        let kind = algorithm.isEmpty ? ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] : algorithm
        let result = try run(
            ["openssl", "req", "-x509", "-nodes", "-subj", "/CN=test"] + kind + [
                "-days", "90", "-addext", "subjectAltName=DNS:\(host)", "-keyout", "\(directory.path)/\(key)", "-out",
                "\(directory.path)/\(chain)",
            ])
        try #require(result.status == 0, "\(result.output)")
    }

    private func source(clock: TestClock? = nil, log: LogLines = LogLines()) throws -> CertificateSource {
        let clock = clock ?? TestClock(now)
        return try CertificateSource(
            owner: files, hosts: ["kibitz.local"], addresses: [],
            state: StateDirectory(path: "\(directory.path)/state"),
            logger: log.logger, clock: { clock.now })
    }

    @Test(arguments: [
        [], ["-newkey", "rsa:2048"], ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
    ])
    func everyUsualKindIsLoaded(algorithm: [String]) throws {
        try make("box.example.org", algorithm: algorithm)
        #expect(try files.check().isEmpty)
        let source = try source()
        #expect(source.status.origin == .owner)
        #expect(source.status.hosts == ["box.example.org"])
        #expect(source.status.problems.isEmpty)
        #expect(source.authority == nil)
        let output = try run("openssl", "x509", "-in", files.chain, "-noout", "-fingerprint", "-sha256").output
        let expected = source.status.fingerprint.map { String(format: "%02X", $0) }.joined(separator: ":")
        #expect(output.contains(expected))
    }

    @Test func olderFormsOfKeysAreRead() throws {
        try run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", files.key)
        #expect(try directory.read("key.pem").contains("EC PARAMETERS"))
        try run(
            "openssl", "req", "-x509", "-key", files.key, "-subj", "/CN=a", "-addext", "subjectAltName=DNS:a.example",
            "-out", files.chain)
        #expect(try source().status.hosts == ["a.example"])
    }

    @Test func aRenewedCertificateIsTakenUp() throws {
        try make("old.example")
        let source = try source()
        let context = source.current()
        source.refresh()
        #expect(source.current() === context)
        try make("new.example")
        source.refresh()
        #expect(source.status.hosts == ["new.example"])
        #expect(source.current() !== context)
    }

    /// certbot turns one symbolic link after the other; in between the two do not match.
    @Test func linksThatAreTurnedOneAfterTheOther() throws {
        try make("old.example", chain: "chain1.pem", key: "key1.pem")
        try make("new.example", chain: "chain2.pem", key: "key2.pem")
        symlink("chain1.pem", files.chain)
        symlink("key1.pem", files.key)
        let log = LogLines()
        let source = try source(log: log)
        let context = source.current()
        func turn(_ link: String, to target: String) {
            symlink(target, "\(link).new")
            rename("\(link).new", link)
        }
        turn(files.chain, to: "chain2.pem")
        source.refresh()
        #expect(source.current() === context)
        #expect(source.status.hosts == ["old.example"])
        #expect(source.status.problems.first?.contains("does not belong to the certificate") == true)
        turn(files.key, to: "key2.pem")
        source.refresh()
        #expect(source.status.hosts == ["new.example"])
        #expect(source.status.problems.isEmpty)
    }

    @Test func badNewFilesLeaveTheOldCertificateAndAreLoggedOnce() throws {
        try make("box.example.org")
        let log = LogLines()
        let source = try source(log: log)
        let (context, fingerprint) = (source.current(), source.status.fingerprint)
        let chain = try directory.read("chain.pem")
        func expectKept(_ words: String, sourceLocation: SourceLocation = #_sourceLocation) {
            for _ in 0..<3 { source.refresh() }
            #expect(source.current() === context, sourceLocation: sourceLocation)
            #expect(source.status.fingerprint == fingerprint, sourceLocation: sourceLocation)
            #expect(source.status.problems.first?.contains(words) == true, sourceLocation: sourceLocation)
            #expect(log.lines.filter { $0.contains(words) }.count == 1, sourceLocation: sourceLocation)
        }
        _ = try directory.put(String(chain.prefix(200)), at: "chain.pem")
        expectKept("damaged")
        _ = try directory.put("", at: "chain.pem")
        expectKept("holds no certificate")
        try FileManager.default.removeItem(atPath: files.chain)
        expectKept("No such file")
        _ = try directory.put([UInt8](repeating: 65, count: OwnerCertificate.chainLimit + 1), at: "chain.pem")
        expectKept("larger than")
        _ = try directory.put(chain, at: "chain.pem")
        source.refresh()
        #expect(source.status.problems.isEmpty)
    }

    @Test func everyMistakeHasItsWords() throws {
        try make("a.example")
        let (chain, key) = try (directory.read("chain.pem"), directory.read("key.pem"))
        try make("b.example", chain: "chain2.pem", key: "key2.pem")
        func error() -> CertificateError? {
            do throws(CertificateError) {
                _ = try files.check()
                return nil
            } catch {
                return error
            }
        }
        _ = try directory.put(try directory.read("chain2.pem") + chain, at: "chain.pem")
        #expect(error() == .mismatch(chain: files.chain, key: files.key, isOrderWrong: true))
        _ = try directory.put(try directory.read("chain2.pem"), at: "chain.pem")
        #expect(error() == .mismatch(chain: files.chain, key: files.key, isOrderWrong: false))
        _ = try directory.put(chain, at: "chain.pem")
        _ = try directory.put(chain, at: "key.pem")
        #expect(error() == .noKey(path: files.key))
        _ = try directory.put(key, at: "key2.pem")
        try run(
            "openssl", "pkey", "-in", "\(directory.path)/key2.pem", "-aes128", "-passout", "pass:x", "-out", files.key)
        #expect(error() == .protectedKey(path: files.key))
        try run(
            "openssl", "ec", "-in", "\(directory.path)/key2.pem", "-aes128", "-passout", "pass:x", "-out", files.key)
        #expect(error() == .protectedKey(path: files.key))
        _ = try directory.put(key, at: "key.pem")
        _ = try directory.put([UInt8](repeating: 0xFF, count: 1000), at: "chain.pem")
        #expect(error() == .noCertificate(path: files.chain))
        _ = try directory.put(String(repeating: chain, count: 17), at: "chain.pem")
        #expect(error()?.description.contains("more than 16") == true)
    }

    /// After a loss of power a box without a clock battery finds every certificate "not valid yet".
    @Test func aCertificateOutOfDateIsUsedAndTold() throws {
        try make("box.example.org")
        let clock = TestClock(0, isSynchronized: false)
        let source = try source(clock: clock)
        #expect(source.status.origin == .owner)
        #expect(source.status.problems.count == 1 && source.status.isClockBehind)
        #expect(source.status.problems.first?.hasPrefix("The box's clock is wrong") == true)
        clock.set(now - 3000 * Validity.day, isSynchronized: true)
        source.refresh()
        #expect(source.status.problems.first?.contains("is not valid yet.") == true && !source.status.isClockBehind)
        clock.set(now + 86 * Validity.day, isSynchronized: true)
        source.refresh()
        #expect(source.status.problems.first?.contains("expires within a week. Renew") == true)
        clock.set(now + 100 * Validity.day, isSynchronized: true)
        source.refresh()
        #expect(source.status.problems.first?.contains("has expired. Renew") == true)
        clock.set(now, isSynchronized: true)
        source.refresh()
        #expect(source.status.problems.isEmpty)
    }

    @Test func aChainWithoutItsIntermediateIsTold() throws {
        try make("authority.example", chain: "ca.pem", key: "ca.key")
        try run(
            "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", files.key,
            "-subj", "/CN=leaf", "-addext", "subjectAltName=DNS:leaf.example", "-out", "\(directory.path)/leaf.csr")
        let signed = try run(
            "openssl", "x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-copy_extensions", "copy", "-out", "chain.pem", in: directory.path)
        try #require(signed.status == 0, "\(signed.output)")
        #expect(try files.check().contains { $0.contains("without the intermediate") })
        _ = try directory.put(try directory.read("chain.pem") + directory.read("ca.pem"), at: "chain.pem")
        #expect(try files.check().isEmpty)
    }

    @Test func badFilesAtTheStartLeaveTheBoxItsOwnUntilTheyAreMended() throws {
        let log = LogLines()
        let source = try source(log: log)
        #expect(source.status.origin == .box)
        #expect(source.authority != nil)
        #expect(source.status.problems.first?.contains("cannot read \(files.chain)") == true)
        #expect(log.lines.contains { $0.hasPrefix("warning") && $0.contains(files.chain) })
        try make("box.example.org")
        source.refresh()
        #expect(source.status.origin == .owner)
        #expect(source.status.problems.isEmpty)
        #expect(source.authority == nil)
    }
}
