public import SansIO
public import WiFiCrypto
public import Wire

/// The authenticator's side of one associated station's RSN (IEEE 802.11-2020, 12.7): the 4-way handshake that makes its
/// pairwise key and tells it the group keys, and the group key handshakes after that.
///
/// **Key reinstallation.** A key counts its packets from zero when it is installed, so it must never be installed twice.
/// ``HandshakeEvent/installPairwise(_:)`` comes when the first right answer to message 3 comes; late, doubled and
/// replayed answers find nothing that waits for them. Each handshake has an ANonce of its own, so that each has another key.
///
/// **What the kernel does.** Nothing but EAPOL frames passes from and to a station that is not authorized, and EAPOL
/// frames end here: they are never forwarded (control port). Frames addressed to anybody else, fragments and A-MSDUs are
/// its to check. It takes in EAPOL frames that are not encrypted from a station with a key; they are refused here.
public struct PairwiseAuthenticator: Sendable {
    /// What was sent and is not answered.
    struct Exchange {
        /// The replay counters of the frames sent, the latest last.
        var counters: [UInt64] = []
        var attempts = 0
        var deadline = Timestamp.zero
        /// Whether the link layer acknowledged the frame.
        var isAcknowledged = false

        /// Notes that a frame was sent.
        mutating func sent(_ counter: UInt64, at now: Timestamp, _ first: Duration, _ later: Duration) {
            counters.append(counter)
            attempts += 1
            deadline = now + (attempts == 1 ? first : later)
        }
    }

    /// A 4-way handshake.
    struct FourWay {
        /// This handshake's own nonce.
        let nonce: [UInt8]
        var message1 = Exchange()
        /// The counters of those messages 1 that were answered with a wrong integrity code.
        var wronglyAnswered: Set<UInt64> = []
    }

    /// A 4-way handshake whose message 2 was right.
    struct KeyedFourWay {
        var fourWay: FourWay
        let keys: PairwiseTransientKey
        let stationNonce: [UInt8]
        var message3 = Exchange()
    }

    enum State {
        case idle
        case awaitingMessage2(FourWay)
        case awaitingMessage4(KeyedFourWay)
        /// No 4-way handshake goes on. A group key handshake may.
        case established(GroupHandshake?)
        case failed
    }

    struct GroupHandshake {
        let keys: GroupKeys
        var message1 = Exchange()
    }

    let pmk: SecretBytes
    let pmkid: [UInt8]?
    let keyManagement: KeyManagement
    let station: MACAddress
    let bss: MACAddress
    let stationElements: KeyData
    let apElements: KeyData
    let usesManagementFrameProtection: Bool
    let limits: HandshakeLimits
    /// Makes this association's nonces, as 12.7.5 has it: a random key, and a counter.
    private let nonceKey: SecretBytes
    private var nonceCounter: UInt64 = 0

    var state = State.idle
    /// The keys in use.
    var keys: PairwiseTransientKey?
    /// The group keys that the station has, or is told next in a message 3.
    var group: GroupKeys
    /// The group keys to tell it when no 4-way handshake goes on.
    var nextGroup: GroupKeys?
    /// The counter of the frame sent last (12.7.2: it starts with the association).
    private var replayCounter: UInt64 = 0
    /// The counter of the latest request taken, which the station counts on its own.
    var requestCounter: UInt64?
    var lastRequest: Timestamp?

    /// Whether a message 2 had a wrong integrity code and none yet a right one. Such a station goes first where room is
    /// needed.
    public internal(set) var hasSeenWrongPassphrase = false

    /// Makes the authenticator of a station that has just associated.
    /// - Parameters:
    ///   - pmk: the pairwise master key: PSK, or what SAE agreed on; 32 octets.
    ///   - pmkid: the PMK's identifier, 16 octets, which message 1 then names. Nil for a PSK: it would help those who guess
    ///     passphrases.
    ///   - keyManagement: the AKM of the association.
    ///   - station: the station's address.
    ///   - bss: the access point's address (BSSID).
    ///   - stationElements: the elements of the association request, of which RSNE and RSNXE are held against message 2.
    ///   - apElements: the elements of the beacon, of which RSNE and RSNXE go into message 3.
    ///   - group: the access point's group keys. Give the packet numbers they have reached.
    ///   - usesManagementFrameProtection: whether the association agreed on it; the station is then told the IGTK.
    ///   - limits: how often and how long is waited.
    ///   - generator: a cryptographic generator.
    /// - Throws: ``EAPOLError/malformedKeyData`` for elements that can't be read.
    public init(
        pmk: SecretBytes, pmkid: [UInt8]?, keyManagement: KeyManagement, station: MACAddress, bss: MACAddress,
        stationElements: RawSpan, apElements: RawSpan, group: GroupKeys, usesManagementFrameProtection: Bool,
        limits: HandshakeLimits = HandshakeLimits(), using generator: inout some RandomNumberGenerator
    ) throws(EAPOLError) {
        self.pmk = pmk
        self.pmkid = pmkid
        self.keyManagement = keyManagement
        self.station = station
        self.bss = bss
        self.stationElements = try KeyData(parsing: stationElements)
        self.apElements = try KeyData(parsing: apElements)
        self.group = group
        self.usesManagementFrameProtection = usesManagementFrameProtection
        self.limits = limits
        nonceKey = SecretBytes(randomCount: 32, using: &generator)
    }

    /// Whether the station has a pairwise key.
    public var isEstablished: Bool { keys != nil }

    /// Takes in what happened.
    /// - Parameters:
    ///   - input: what happened.
    ///   - now: the present time.
    ///   - output: what is to be done is appended here.
    /// - Returns: when to call again with ``HandshakeInput/wake``, instead of what was answered before; nil is never.
    public mutating func handle(
        _ input: borrowing HandshakeInput, at now: Timestamp, into output: inout HandshakeOutput
    ) -> Timestamp? {
        do throws(WiFiCryptoError) {
            switch input {
            case .start:
                if case .idle = state { try beginFourWay(nonce: makeNonce(), at: now, into: &output) }
            case .eapol(let bytes, let protection):
                try receive(bytes, protection, at: now, into: &output)
            case .acknowledged:
                acknowledged()
            case .groupRekey(let keys):
                try rekeyGroup(keys, at: now, into: &output)
            case .wake:
                try retransmit(at: now, into: &output)
            }
        } catch {
            fail(.libraryFailed, into: &output)
        }
        return deadline
    }

    private var deadline: Timestamp? {
        switch state {
        case .idle, .failed, .established(nil): nil
        case .awaitingMessage2(let fourWay): fourWay.message1.deadline
        case .awaitingMessage4(let keyed): keyed.message3.deadline
        case .established(.some(let handshake)): handshake.message1.deadline
        }
    }

    mutating func fail(_ failure: HandshakeFailure, into output: inout HandshakeOutput) {
        state = .failed
        keys = nil
        output.events.append(.failed(failure))
    }

    /// A nonce that was never used and can't be foreseen (12.7.5).
    mutating func makeNonce() throws(WiFiCryptoError) -> [UInt8] {
        nonceCounter &+= 1
        let context = bss.octets + withUnsafeBytes(of: nonceCounter.bigEndian) { [UInt8]($0) }
        let nonce = try KeyDerivation.kdfSHA256.derive(
            EAPOLKeyFrame.nonceSize, from: nonceKey, label: "Init Counter", context: context.span.bytes)
        return nonce.bytes.copied
    }

    /// The counter of the next frame: each has its own (12.7.2).
    mutating func nextReplayCounter() -> UInt64 {
        replayCounter &+= 1
        return replayCounter
    }

    /// The link layer acknowledged the first message 1: an answer will come, so a second one would only confuse.
    private mutating func acknowledged() {
        guard case .awaitingMessage2(var fourWay) = state, fourWay.message1.attempts == 1, keys == nil,
            !fourWay.message1.isAcknowledged
        else { return }
        fourWay.message1.isAcknowledged = true
        fourWay.message1.deadline = fourWay.message1.deadline + limits.acknowledgedTimeout
        state = .awaitingMessage2(fourWay)
    }

    private mutating func retransmit(at now: Timestamp, into output: inout HandshakeOutput) throws(WiFiCryptoError) {
        switch state {
        case .idle, .failed, .established(nil):
            break
        case .awaitingMessage2(let fourWay):
            guard now >= fourWay.message1.deadline else { return }
            guard fourWay.message1.attempts < limits.attempts else {
                return fail(hasSeenWrongPassphrase ? .wrongPassphrase : .timedOut, into: &output)
            }
            sendMessage1(fourWay, at: now, into: &output)
        case .awaitingMessage4(let keyed):
            guard now >= keyed.message3.deadline else { return }
            guard keyed.message3.attempts < limits.attempts else { return fail(.timedOut, into: &output) }
            try sendMessage3(keyed, at: now, into: &output)
        case .established(.some(let handshake)):
            guard now >= handshake.message1.deadline else { return }
            guard handshake.message1.attempts < limits.attempts else { return fail(.groupTimedOut, into: &output) }
            try sendGroupMessage1(handshake, at: now, into: &output)
        }
    }
}
