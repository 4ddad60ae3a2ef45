import SansIO
import TestSupport
import Testing
import WiFiCrypto
import WiFiSupplicant
import Wire

@testable import Authenticator

/// Handshakes over air that loses, delays, doubles, changes and replays frames, with kernels at both ends that encrypt and
/// decrypt by the keys they were given.
@Suite struct LossyAirTests {
    /// How bad the air is, in percent of frames.
    struct Air: Sendable, CustomTestStringConvertible {
        var loss = 0
        var doubling = 0
        var replay = 0
        var forgery = 0
        /// The longest delay in milliseconds; the more, the more frames overtake others.
        var delay = 5
        /// How many of a hundred connect, and still are after three rekeys, at least. Above the air there are the radio's own
        /// retransmissions, which are not simulated.
        var connected = 80

        var testDescription: String {
            "loss \(loss) %, doubling \(doubling) %, replay \(replay) %, forgery \(forgery) %, delay \(delay) ms"
        }
    }

    static let airs = [
        Air(loss: 10, connected: 90), Air(loss: 40, connected: 30), Air(doubling: 50, delay: 300),
        Air(loss: 10, replay: 50, delay: 50),
        Air(loss: 20, doubling: 20, replay: 20, delay: 800, connected: 65), Air(forgery: 30),
        Air(loss: 5, doubling: 10, replay: 30, forgery: 30, delay: 200, connected: 70),
    ]

    static let allHabits: [SupplicantHabits] = [
        [], [.plaintextMessage4], [.newNonceEachTime], [.plaintextMessage4, .noSecureFlag, .trailingZeros],
    ]

    struct Frame {
        var octets: [UInt8]
        var isToPhone: Bool
        /// The key it is encrypted under.
        var key: SecretBytes?
    }

    /// One association in this air.
    struct Run {
        let air: Air
        var harness: Harness
        var generator: SeededGenerator
        var inFlight: [(at: Timestamp, frame: Frame)] = []
        var sent: [Frame] = []
        /// The key that each end's kernel has.
        var apKey: SecretBytes?
        var phoneKey: SecretBytes?
        var group: GroupKeys
        var deliveries = 0

        init(_ keyManagement: KeyManagement, _ air: Air, _ habits: SupplicantHabits, passphrase: UInt8, seed: UInt64)
            throws
        {
            self.air = air
            generator = SeededGenerator(seed: seed &* 7_919)
            harness = try Harness(keyManagement, seed: seed, passphrase: passphrase, habits: habits)
            group = harness.group
        }

        private mutating func happens(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }

        mutating func send(_ frame: Frame) {
            sent.append(frame)
            for _ in 0..<(happens(air.doubling) ? 2 : 1) where !happens(air.loss) { fly(frame) }
            if happens(air.replay), let old = sent.randomElement(using: &generator) { fly(old) }
            if happens(air.forgery), var old = sent.randomElement(using: &generator) {
                old.octets[Int.random(in: old.octets.indices, using: &generator)] ^= UInt8.random(
                    in: 1...255, using: &generator)
                old.key = nil
                fly(old)
            }
        }

        private mutating func fly(_ frame: Frame) {
            let delay = Int64.random(in: 100...(1_000 * Int64(air.delay)), using: &generator)
            inFlight.append((harness.now + .microseconds(delay), frame))
        }

        mutating func give(_ input: borrowing HandshakeInput) {
            let before = harness.events.count
            var isEncrypted: [Bool] = []
            let frames = harness.give(input) { isEncrypted = $0.frames.map(\.isEncrypted) }
            for case .installPairwise(let key) in harness.events[before...] { apKey = key }
            for (frame, isEncrypted) in zip(frames, isEncrypted) {
                #expect(!isEncrypted || apKey != nil)
                send(Frame(octets: frame, isToPhone: true, key: isEncrypted ? apKey : nil))
            }
        }

        mutating func tellPhone(_ body: (inout Supplicant, inout SupplicantOutput) throws -> Void) throws {
            var output = SupplicantOutput()
            try body(&harness.supplicant, &output)
            for frame in output.frames {
                send(Frame(octets: frame.octets, isToPhone: false, key: frame.isEncrypted ? phoneKey : nil))
            }
            for case .installedPairwise(let key) in output.events { phoneKey = key }
        }

        /// A kernel drops what it can't decrypt.
        mutating func arrive(_ frame: Frame) throws {
            deliveries += 1
            let octets = frame.octets
            if frame.isToPhone {
                guard frame.key == nil || frame.key == phoneKey else { return }
                try tellPhone { try $0.receive(octets.span.bytes, into: &$1) }
            } else {
                guard frame.key == nil || frame.key == apKey else { return }
                give(.eapol(octets.span.bytes, frame.key == nil ? .plaintext : .encrypted))
            }
        }

        /// Lets everything happen until nothing more does, with group rekeys and a pairwise one on the way.
        mutating func run() throws {
            var plans: [(at: Timestamp, isPairwise: Bool)] = [
                (.zero + .milliseconds(Int64.random(in: 0...8_000, using: &generator)), false),
                (.zero + .milliseconds(Int64.random(in: 4_000...20_000, using: &generator)), true),
                (.zero + .milliseconds(Int64.random(in: 4_000...21_000, using: &generator)), false),
            ]
            give(.start)
            while deliveries < 5_000 {
                let arrival = inFlight.indices.min { inFlight[$0].at < inFlight[$1].at }
                let plan = plans.indices.min { plans[$0].at < plans[$1].at }
                let times = [arrival.map { inFlight[$0].at }, plan.map { plans[$0].at }, harness.deadline]
                guard let next = times.compactMap({ $0 }).min() else { return }
                harness.now = max(harness.now, next)
                if let arrival, inFlight[arrival].at == next {
                    try arrive(inFlight.remove(at: arrival).frame)
                } else if let plan, plans[plan].at == next {
                    if plans.remove(at: plan).isPairwise {
                        try tellPhone { try $0.request(.pairwise, into: &$1) }
                    } else {
                        group = group.next(using: &generator)
                        give(.groupRekey(group))
                    }
                } else {
                    give(.wake)
                }
            }
            Issue.record("it never ended")
        }
    }

    @Test("Connected with the same keys, or failed for want of answers; each key installed once", arguments: airs)
    func ends(_ air: Air) throws {
        var connected = 0
        var total = 0
        for seed in UInt64(1)...60 {
            for habits in Self.allHabits {
                let keyManagement = KeyManagement.allCases[Int(seed % 3)]
                var run = try Run(keyManagement, air, habits, passphrase: 7, seed: seed)
                try run.run()
                let harness = run.harness
                let comment: Comment = "seed \(seed), habits \(habits.rawValue)"
                let installed = harness.installations.map { $0.bytes.copied }
                #expect(Set(installed).count == installed.count, comment)
                let phone = harness.supplicant.installations.map { $0.bytes.copied }
                #expect(Set(phone).count == phone.count, comment)
                #expect(installed.allSatisfy(phone.contains), "no key is there that the phone has not had: \(comment)")
                #expect(harness.events.filter { $0 == .authorized }.count == (installed.isEmpty ? 0 : 1), comment)
                total += 1
                if let failure = harness.failure {
                    // Forged answers can make a lost true one look like a wrong passphrase, and nothing else can.
                    let isRight = failure == .timedOut || failure == .groupTimedOut
                    #expect(isRight || failure == .wrongPassphrase && air.forgery > 0, comment)
                    #expect(harness.deadline == nil, comment)
                } else {
                    connected += 1
                    #expect(installed.last == phone.last, comment)
                    #expect(run.apKey == run.phoneKey, comment)
                    #expect(harness.supplicant.groupKeys[run.group.gtkIndex] == run.group.gtk, comment)
                    #expect(harness.authenticator.group == run.group, comment)
                    if keyManagement != .psk {
                        #expect(
                            harness.supplicant.integrityGroupKeys[UInt16(run.group.igtkIndex)] == run.group.igtk,
                            comment)
                    }
                }
            }
        }
        #expect(connected * 100 >= air.connected * total, "\(connected) of \(total) connected")
    }

    @Test("A wrong passphrase never gets in", arguments: airs)
    func wrongPassphrase(_ air: Air) throws {
        for seed in UInt64(1)...40 {
            for habits in Self.allHabits {
                var run = try Run(
                    KeyManagement.allCases[Int(seed % 3)], air, habits, passphrase: 8, seed: seed)
                try run.run()
                let comment: Comment = "seed \(seed), habits \(habits.rawValue)"
                #expect(
                    run.harness.failure == .wrongPassphrase || run.harness.failure == .timedOut && air.loss > 0, comment
                )
                #expect(run.harness.installations.isEmpty && run.harness.supplicant.installations.isEmpty, comment)
                #expect(run.harness.supplicant.groupKeys.isEmpty, comment)
            }
        }
    }
}
