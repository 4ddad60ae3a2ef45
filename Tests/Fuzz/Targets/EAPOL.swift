import Authenticator
import IEEE80211
import SansIO
import TestSupport
import WiFiCrypto
import WiFiSupplicant
import Wire

extension FuzzTarget {
    /// EAPOL-Key frames and the handshakes they make: those of an honest phone, altered ones, and any that carry a valid
    /// integrity code.
    static let eapol = FuzzTarget("eapol", longest: 512) { input in
        try readKeyFrame(input)
        var run = try EAPOLRun(input)
        try run.play()
    }

    private static func readKeyFrame(_ input: [UInt8]) throws {
        if let frame = try? EAPOLKeyFrame(parsing: input.span.bytes) {
            try always(
                try EAPOLKeyFrame(parsing: frame.encoded.span.bytes) == frame,
                "a frame that is written again is another")
        }
        if let keyData = try? KeyData(parsing: input.span.bytes) {
            let again = keyData.encoded
            try always(try KeyData(parsing: again.bytes) == keyData, "key data that are written again are others")
        }
    }
}

private struct EAPOLRun: FuzzClock {
    private static let station = MACAddress(0x0200_0000_0100)
    private static let bss = MACAddress(0x0200_0000_0001)
    private static let pmk = SecretBytes([UInt8](repeating: 7, count: 32))

    private var script: FuzzScript
    private var generator = SeededGenerator(seed: 1)
    private var authenticator: PairwiseAuthenticator
    private var supplicant: Supplicant
    private var output = HandshakeOutput()
    var now = Timestamp.zero + .seconds(1000)
    private(set) var wakeTime: Timestamp?
    private var group: GroupKeys
    /// Frames on their way to the phone, and of the phone's.
    private var down: [[UInt8]] = []
    private var up: [SupplicantOutput.Transmission] = []
    private var isAuthorized = false
    private var hasFailed = false
    private var installations: [SecretBytes] = []

    init(_ input: [UInt8]) throws {
        script = FuzzScript(input)
        let keyManagement = script.element(of: KeyManagement.allCases)
        let usesMFP = script.byte() & 1 == 0
        var elements = ByteWriter()
        RSNElement(
            pairwise: [.ccmp], akms: [keyManagement == .sae ? .sae : .psk],
            capabilities: usesMFP ? .managementFrameProtectionCapable : []
        ).write(into: &elements)
        RSNXElement(hashToElement: true).write(into: &elements)
        let bytes = elements.bytes
        group = .fresh(usesManagementFrameProtection: usesMFP, using: &generator)
        authenticator = try PairwiseAuthenticator(
            pmk: Self.pmk, pmkid: nil, keyManagement: keyManagement, station: Self.station, bss: Self.bss,
            stationElements: bytes.span.bytes, apElements: bytes.span.bytes, group: group,
            usesManagementFrameProtection: usesMFP, using: &generator)
        supplicant = try Supplicant(
            pmk: Self.pmk, keyManagement: keyManagement, station: Self.station, bss: Self.bss, elements: bytes,
            apElements: bytes, usesManagementFrameProtection: usesMFP,
            habits: SupplicantHabits(rawValue: Int(script.byte() & 15)), generator: SeededGenerator(seed: 2))
    }

    mutating func play() throws {
        while !script.isAtEnd {
            switch script.number(below: 9) {
            case 0: try handle(.start)
            case 1, 2: try deliver()
            case 3: try answer()
            case 4:
                // An answer of the phone's, altered and with any protection, and not taken from it.
                guard var frame = up.first?.octets else { continue }
                alter(&frame)
                try receive(frame)
            case 5: try receive(script.run())
            case 6: try receive(try sealed())
            case 7: try pass(.milliseconds(Int(script.uint16())), limit: 100)
            default:
                switch script.number(below: 4) {
                case 0:
                    group = group.next(using: &generator)
                    try handle(.groupRekey(group))
                case 1: try handle(.acknowledged)
                case 2:
                    var output = SupplicantOutput()
                    try supplicant.request(script.byte() & 1 == 0 ? .pairwise : [], into: &output)
                    up.append(contentsOf: output.frames)
                default: try wake()
                }
            }
        }
        try pass(.seconds(100), limit: 100)
        try always(wakeTime == nil, "a handshake has no end")
    }

    /// The phone takes in what was sent to it.
    private mutating func deliver() throws {
        guard !down.isEmpty else { return }
        let frame = down.remove(at: script.number(below: down.count))
        var output = SupplicantOutput()
        try supplicant.receive(frame.span.bytes, into: &output)
        up.append(contentsOf: output.frames)
        if up.count > 8 { up.removeFirst(up.count - 8) }
    }

    /// What the phone has sent arrives.
    private mutating func answer() throws {
        guard !up.isEmpty else { return }
        let index = script.number(below: up.count)
        let frame = script.byte() & 1 == 0 ? up.remove(at: index) : up[index]
        let octets = frame.octets
        try handle(.eapol(octets.span.bytes, frame.isEncrypted ? .encrypted : .plaintext))
    }

    private mutating func alter(_ frame: inout [UInt8]) {
        switch script.number(below: 3) {
        case 0:
            guard !frame.isEmpty else { return }
            frame[Int(script.uint16()) % frame.count] ^= script.byte() | 1
        case 1: frame.append(contentsOf: script.run())
        default: frame.removeLast(min(frame.count, Int(script.byte())))
        }
    }

    /// A frame of any content with a valid integrity code, as somebody with the passphrase can make it.
    private mutating func sealed() throws -> [UInt8] {
        var frame = EAPOLKeyFrame(
            information: KeyInformation(rawValue: script.uint16()), replayCounter: UInt64(script.byte()))
        frame.keyLength = UInt16(script.byte())
        if script.byte() & 1 == 0, let heard = down.last, let last = try? EAPOLKeyFrame(parsing: heard.span.bytes) {
            frame.replayCounter = last.replayCounter
        }
        frame.nonce = [UInt8](repeating: script.byte(), count: EAPOLKeyFrame.nonceSize)
        frame.keyData = script.run()
        guard let keys = supplicant.keys else { return frame.encoded }
        return try keys.seal(frame)
    }

    private mutating func receive(_ frame: [UInt8]) throws {
        try handle(
            .eapol(frame.span.bytes, script.element(of: [.encrypted, .plaintext, .unknown] as [EAPOLProtection])))
    }

    mutating func wake() throws { try handle(.wake) }

    private mutating func handle(_ input: borrowing HandshakeInput) throws {
        FuzzTarget.feed()
        output.removeAll()
        wakeTime = authenticator.handle(input, at: now, into: &output)
        if let wakeTime { try always(wakeTime > now, "it wants to be called in the past") }
        for frame in output.frames {
            let octets = Array(output.written[frame.range])
            _ = try EAPOLKeyFrame(parsing: octets.span.bytes)
            down.append(octets)
            if down.count > 8 { down.removeFirst() }
        }
        for event in output.events {
            try always(!hasFailed, "something comes after the failure")
            switch event {
            case .installPairwise(let key):
                try always(installations.last != key, "the same key is installed again")
                installations.append(key)
            case .authorized:
                try always(!isAuthorized, "it is authorized twice")
                try always(!installations.isEmpty, "it is authorized without a key")
                isAuthorized = true
            case .failed(let failure):
                try always(failure != .libraryFailed, "the library failed")
                hasFailed = true
            case .groupKeysAcknowledged:
                try always(isAuthorized, "the group's keys are told before anybody is authorized")
            case .groupRekeyRequested:
                try always(isAuthorized, "somebody who is not authorized changes keys")
            }
        }
        if hasFailed { try always(wakeTime == nil, "a failed handshake goes on") }
    }
}
