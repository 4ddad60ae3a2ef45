public import IEEE80211
public import WiFiCrypto

/// Whether an EAPOL frame was encrypted on the air.
public enum EAPOLProtection: Sendable, Hashable {
    /// It was.
    case encrypted
    /// It was not.
    case plaintext
    /// The driver does not say.
    case unknown
}

/// Something that happens to a ``PairwiseAuthenticator``.
public enum HandshakeInput: ~Escapable {
    /// The station is associated: begin. Ignored when begun.
    case start
    /// An EAPOL frame of the station's, from the head of IEEE 802.1X on, addressed to this access point.
    case eapol(RawSpan, EAPOLProtection)
    /// The link layer acknowledged the frame sent last. Where the driver tells nothing of the kind, this never comes.
    case acknowledged
    /// The group keys change: tell them to the station, at once or when its 4-way handshake is over.
    case groupRekey(GroupKeys)
    /// The time that ``PairwiseAuthenticator/handle(_:at:into:)`` asked for has come.
    case wake
}

/// What a ``PairwiseAuthenticator`` wants done. One value is used again and again: empty it before each input.
public struct HandshakeOutput: Sendable {
    /// An EAPOL frame to send.
    public struct Transmission: Sendable, Hashable {
        /// Its octets, a range of ``HandshakeOutput/written``, from the head of IEEE 802.1X on.
        public var range: Range<Int>
        /// Whether it is to be encrypted: the station has the key. Of those before, none may be.
        public var isEncrypted: Bool
    }

    /// The octets of ``frames``.
    public internal(set) var written: [UInt8] = []
    /// What to send, in this order, after all of ``events`` were acted on: it may be for a key that has just been made.
    public internal(set) var frames: [Transmission] = []
    /// What happened, in this order.
    public internal(set) var events: [HandshakeEvent] = []
    /// Why the input's frame was ignored, if it was.
    public internal(set) var discard: HandshakeDiscard?

    /// Makes an empty output.
    public init() {}

    /// Empties the output and keeps its memory.
    public mutating func removeAll() {
        written.removeAll(keepingCapacity: true)
        frames.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
        discard = nil
    }

    mutating func send(_ frame: [UInt8], isEncrypted: Bool) {
        let start = written.count
        written.append(contentsOf: frame)
        frames.append(Transmission(range: start..<written.count, isEncrypted: isEncrypted))
    }
}

/// What became of a handshake.
public enum HandshakeEvent: Sendable, Equatable {
    /// Install this temporal key (TK) for the station, at index 0, both ways. It comes once for each 4-way handshake:
    /// installing a key again would count packet numbers from zero again.
    case installPairwise(SecretBytes)
    /// The first 4-way handshake is over: let the station's data pass.
    case authorized
    /// The station has the group keys of this index of the GTK. It comes after a group key handshake.
    case groupKeysAcknowledged(gtkIndex: UInt8)
    /// The station asks for other group keys; whether it gets some is for the access point to say.
    case groupRekeyRequested
    /// The handshake failed and the station is to be removed. Nothing more comes.
    case failed(HandshakeFailure)
}

/// Why a handshake failed.
public enum HandshakeFailure: Error, Sendable, Hashable {
    /// The station's integrity code is wrong: it has another passphrase. Its user's fault.
    case wrongPassphrase
    /// The station did not answer the 4-way handshake. The fault of the air, or of a station that is gone.
    case timedOut
    /// The station did not answer the group key handshake. The fault of the air, or of a station that is gone.
    case groupTimedOut
    /// The station's elements are not those it associated with: it, or somebody in between, tried a downgrade.
    case elementMismatch
    /// OpenSSL failed: no memory. This machine's fault.
    case libraryFailed

    /// What to tell the station when removing it.
    public var reasonCode: ReasonCode {
        switch self {
        case .wrongPassphrase, .timedOut: .fourWayHandshakeTimeout
        case .groupTimedOut: .groupKeyHandshakeTimeout
        case .elementMismatch: .elementMismatch
        case .libraryFailed: .unspecified
        }
    }
}

extension HandshakeFailure: CustomStringConvertible {
    /// What happened, in words.
    public var description: String {
        switch self {
        case .wrongPassphrase: "the passphrase is wrong"
        case .timedOut: "the station did not answer the 4-way handshake"
        case .groupTimedOut: "the station did not answer the group key handshake"
        case .elementMismatch: "the station's handshake does not match its association"
        case .libraryFailed: "OpenSSL failed: there is no memory"
        }
    }
}

/// Why a frame was ignored. Each is the sender's doing or chance; none ends a handshake by itself, since anybody may send
/// frames in a station's name.
public enum HandshakeDiscard: Error, Sendable, Hashable {
    /// It is no EAPOL-Key frame.
    case unreadable(EAPOLError)
    /// It was not encrypted although the station has a key (IEEE 802.11-2020, 12.9.2.6).
    case plaintext
    /// It is a frame of an authenticator's, has no integrity code, or flags that no answer has.
    case unexpectedFlags
    /// Its descriptor version is not the AKM's.
    case wrongVersion
    /// Nothing was sent that it could answer: it is late, doubled or replayed.
    case replayed
    /// Its integrity code is wrong.
    case wrongIntegrityCode
    /// It reports a wrong integrity code of TKIP's, which is not used here.
    case failureReport
    /// It asks for a handshake too soon after the last.
    case tooSoon
    /// No handshake goes on, or the last one failed.
    case notExpected
}

/// How often and how long is waited for answers.
public struct HandshakeLimits: Sendable, Hashable {
    /// How often each message is sent.
    public var attempts = 4
    /// The wait for an answer to the first message 1 and message 3. Short, since a station may have been too busy with its
    /// association to hear it. Also how long a right answer may take after ``wrongIntegrityCodes`` wrong ones.
    public var firstTimeout = Duration.milliseconds(100)
    /// What is waited longer for an answer to the first message 1 when the link layer acknowledged it: it was heard.
    public var acknowledgedTimeout = Duration.seconds(1)
    /// The wait for an answer to the first message of a group key handshake. Stations sleep.
    public var groupFirstTimeout = Duration.milliseconds(500)
    /// The wait for an answer to every later one.
    public var timeout = Duration.seconds(1)
    /// How many messages 1 must be answered with wrong integrity codes before the passphrase is held for wrong.
    public var wrongIntegrityCodes = 2
    /// The shortest time between two handshakes that a station may ask for.
    public var requestInterval = Duration.seconds(10)

    /// Makes the usual limits.
    public init() {}
}
