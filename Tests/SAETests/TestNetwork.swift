import IEEE80211
import SAE
import SAEClient
import SansIO
import TestSupport
import Testing
import WiFiCrypto
import Wire

/// An access point and what it says, step by step.
struct TestNetwork {
    static let password = "correct horse"
    static let ssid = "Kibitz-1234"
    static let bss = MACAddress(0x0200_0000_0001)
    static let curve: P256 = {
        do { return try P256() } catch { fatalError("\(error)") }
    }()

    var authenticator: SAEAuthenticator
    var now = Timestamp.zero + .seconds(100)
    var output = SAEOutput()
    var wake: Timestamp?
    var generator: SeededGenerator

    init(
        seed: UInt64 = 1, accepts: Set<SAEMethod> = Set(SAEMethod.allCases), limits: SAELimits = SAELimits()
    ) throws {
        generator = SeededGenerator(seed: seed)
        authenticator = try SAEAuthenticator(
            password: SecretBytes(Array(Self.password.utf8)), ssid: Array(Self.ssid.utf8), bss: Self.bss,
            accepts: accepts, limits: limits, generator: SeededGenerator(seed: seed &+ 1))
    }

    mutating func client(
        _ number: UInt64, _ method: SAEMethod = .hashToElement, password: String = password, groups: [UInt16] = [19]
    ) throws -> SAEClient {
        try SAEClient(
            password: password, ssid: Self.ssid, address: MACAddress(0x0200_0000_1000 + number), bss: Self.bss,
            method: method, groups: groups, curve: Self.curve, using: &generator)
    }

    /// Hands a frame to the access point.
    /// - Returns: what it sends to the frame's sender. What it sends to others is a failure.
    @discardableResult
    mutating func receive(_ frame: SAEClient.Frame, from address: MACAddress) -> [SAEClient.Frame] {
        output.removeAll()
        wake = authenticator.handle(
            .authentication(
                from: address, transaction: frame.transaction, status: frame.status, body: frame.body.span.bytes),
            at: now, into: &output)
        #expect(output.frames.allSatisfy { $0.destination == address })
        return output.frames.map {
            SAEClient.Frame(transaction: $0.transaction, status: $0.status, body: Array(output.written.bytes[$0.body]))
        }
    }

    /// Lets time pass, with the wakes that are asked for.
    mutating func pass(_ duration: Duration) {
        let end = now + duration
        while let wake, wake <= end {
            now = max(now, wake)
            output.removeAll()
            self.wake = authenticator.handle(.wake, at: now, into: &output)
            if let next = self.wake { #expect(next > now, "it wakes itself without end") }
        }
        now = end
    }

    /// Plays an exchange to its end.
    mutating func run(_ client: inout SAEClient) throws {
        var pending: [SAEClient.Frame] = [client.start()]
        while !pending.isEmpty {
            let frame = pending.removeFirst()
            for answer in receive(frame, from: client.address) {
                if let next = try client.receive(answer) { pending.append(next) }
            }
        }
    }

    mutating func input(_ input: SAEInput) {
        output.removeAll()
        wake = authenticator.handle(input, at: now, into: &output)
    }
}
