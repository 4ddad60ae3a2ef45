import Authenticator
import SansIO
import TestSupport
import Testing
import WiFiCrypto
import WiFiSupplicant
import Wire

/// The octets of a text of hexadecimal digits; blanks between them are passed over.
func octets(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// An access point's side and a phone's of one association, joined by hand.
struct Harness {
    static let bss = MACAddress(0x0200_0000_0001)
    static let station = MACAddress(0x0200_0000_0101)

    var generator: SeededGenerator
    let keyManagement: KeyManagement
    let pmk: SecretBytes
    var group: GroupKeys
    var authenticator: PairwiseAuthenticator
    var supplicant: Supplicant
    var now = Timestamp.zero
    /// What the authenticator asked for last.
    var deadline: Timestamp?
    /// What the authenticator did, in order.
    var events: [HandshakeEvent] = []
    /// What the phone did, in order.
    var phoneEvents: [SupplicantEvent] = []
    /// The last reason for ignoring a frame.
    var discard: HandshakeDiscard?

    /// The RSN element of an AKM: CCMP, and management frame protection unless it is plain PSK.
    static func rsn(_ keyManagement: KeyManagement, capabilities: UInt8) -> [UInt8] {
        let akm: UInt8 =
            switch keyManagement {
            case .psk: 2
            case .pskSHA256: 6
            case .sae: 8
            }
        return [
            0x30, 0x14, 1, 0, 0, 0x0f, 0xac, 4, 1, 0, 0, 0x0f, 0xac, 4, 1, 0, 0, 0x0f, 0xac, akm, capabilities, 0,
        ]
    }

    init(
        _ keyManagement: KeyManagement = .psk, seed: UInt64 = 1, passphrase: UInt8 = 7, habits: SupplicantHabits = [],
        limits: HandshakeLimits = HandshakeLimits(), phoneElements: [UInt8]? = nil, beacon: [UInt8]? = nil,
        usesManagementFrameProtection: Bool? = nil
    ) throws {
        generator = SeededGenerator(seed: seed)
        self.keyManagement = keyManagement
        pmk = SecretBytes([UInt8](repeating: 7, count: 32))
        let pmkid: [UInt8]? = keyManagement == .sae ? [UInt8](repeating: 9, count: 16) : nil
        let isProtected = usesManagementFrameProtection ?? (keyManagement != .psk)
        let extensionElement: [UInt8] = keyManagement == .sae ? [0xf4, 1, 0x20] : []
        let elements = Self.rsn(keyManagement, capabilities: isProtected ? 0xc0 : 0) + extensionElement
        let apElements = Self.rsn(keyManagement, capabilities: isProtected ? 0xcc : 0x0c) + extensionElement
        // As the parties know them: a beacon and a request have other elements around these.
        let around: [UInt8] = [0, 3, 0x72, 0x69, 0x67]
        group = GroupKeys.fresh(usesManagementFrameProtection: true, using: &generator)
        authenticator = try PairwiseAuthenticator(
            pmk: pmk, pmkid: pmkid, keyManagement: keyManagement, station: Self.station, bss: Self.bss,
            stationElements: (around + elements).span.bytes,
            apElements: (around + apElements + [221, 1, 1]).span.bytes,
            group: group, usesManagementFrameProtection: isProtected, limits: limits, using: &generator)
        supplicant = try Supplicant(
            pmk: SecretBytes([UInt8](repeating: passphrase, count: 32)), pmkid: pmkid, keyManagement: keyManagement,
            station: Self.station, bss: Self.bss, elements: phoneElements ?? elements,
            apElements: beacon ?? apElements, usesManagementFrameProtection: isProtected, habits: habits,
            generator: SeededGenerator(seed: seed ^ 0xfeed))
    }

    /// Gives the authenticator an input.
    /// - Returns: the frames it sent.
    mutating func give(_ input: borrowing HandshakeInput) -> [[UInt8]] {
        give(input) { _ in }
    }

    /// Gives the authenticator an input, and its output to `body` too.
    mutating func give(_ input: borrowing HandshakeInput, _ body: (HandshakeOutput) -> Void) -> [[UInt8]] {
        var output = HandshakeOutput()
        deadline = authenticator.handle(input, at: now, into: &output)
        events += output.events
        discard = output.discard
        body(output)
        return output.frames.map { Array(output.written[$0.range]) }
    }

    /// Gives the authenticator a phone's frame.
    mutating func deliver(
        toAuthenticator frame: [UInt8], _ protection: EAPOLProtection = .unknown
    ) -> [[UInt8]] {
        give(.eapol(frame.span.bytes, protection))
    }

    /// Gives the phone a frame.
    /// - Returns: the frames it sent.
    mutating func deliver(toPhone frame: [UInt8]) throws -> [[UInt8]] {
        var output = SupplicantOutput()
        try supplicant.receive(frame.span.bytes, into: &output)
        phoneEvents += output.events
        return output.frames.map(\.octets)
    }

    /// Carries frames to the phone, its answers back, and so on until nobody sends.
    mutating func exchange(_ frames: [[UInt8]]) throws {
        var frames = frames
        while !frames.isEmpty {
            var answers: [[UInt8]] = []
            for frame in frames { answers += try deliver(toPhone: frame) }
            frames = []
            for answer in answers { frames += deliver(toAuthenticator: answer) }
        }
    }

    /// The first frame of a handshake that begins.
    mutating func start() throws -> [UInt8] {
        let frames = give(.start)
        return try #require(frames.first)
    }

    /// The authenticator's one answer to a phone's frame.
    mutating func reply(to frame: [UInt8]) throws -> [UInt8] {
        let frames = deliver(toAuthenticator: frame)
        return try #require(frames.first)
    }

    /// The phone's one answer to a frame.
    mutating func answer(to frame: [UInt8]) throws -> [UInt8] {
        let frames = try deliver(toPhone: frame)
        return try #require(frames.first)
    }

    /// Lets the time pass until the authenticator wants to be called.
    /// - Returns: the frames it sent; nil when it waits for nothing.
    mutating func wait() -> [[UInt8]]? {
        guard let deadline else { return nil }
        now = max(now, deadline)
        return give(.wake)
    }

    /// A harness whose 4-way handshake is over.
    static func connected(_ keyManagement: KeyManagement = .psk, seed: UInt64 = 1) throws -> Harness {
        var harness = try Harness(keyManagement, seed: seed)
        try harness.exchange(harness.give(.start))
        return harness
    }

    /// Every temporal key that was to be installed, in order.
    var installations: [SecretBytes] {
        events.compactMap { if case .installPairwise(let key) = $0 { key } else { nil } }
    }

    var failure: HandshakeFailure? {
        for case .failed(let failure) in events { return failure }
        return nil
    }
}

/// A frame read, for a look at its fields.
func read(_ frame: [UInt8]) throws -> EAPOLKeyFrame {
    try EAPOLKeyFrame(parsing: frame.span.bytes)
}

/// The counters of frames.
func counters(_ frames: [[UInt8]]) throws -> [UInt64] {
    try frames.map { try read($0).replayCounter }
}

extension Harness {
    /// A phone's request for a handshake.
    mutating func request(_ information: KeyInformation) throws -> [UInt8] {
        var output = SupplicantOutput()
        try supplicant.request(information, into: &output)
        return try #require(output.frames.first?.octets)
    }
}
