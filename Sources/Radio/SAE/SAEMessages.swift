public import IEEE80211
public import WiFiCrypto
public import Wire

/// Something that happens to an ``SAEAuthenticator``.
public enum SAEInput: ~Escapable {
    /// An authentication frame whose algorithm is SAE.
    /// - from: the station.
    /// - transaction: 1 for a commit, 2 for a confirm.
    /// - status: what the frame says.
    /// - body: what follows the status.
    case authentication(from: MACAddress, transaction: UInt16, status: StatusCode, body: RawSpan)
    /// The key that is kept for a station is not to be taken any more.
    case forget(MACAddress)
    /// No key of any station is to be taken any more, and no exchange goes on.
    case forgetAll
    /// The time that ``SAEAuthenticator/handle(_:at:into:)`` asked for has come.
    case wake
}

/// Why a station was refused.
public enum SAERefusal: Sendable, Equatable {
    /// Its confirm does not verify: its password is not ours.
    case wrongPassword
    /// It asked for a finite cyclic group other than 19. A station that speaks 19 too comes again with it.
    case unsupportedGroup(UInt16)
    /// It found the password element in a way that is not allowed here, or used SAE-PK.
    case unsupportedMethod(StatusCode)
    /// It named a password of several; there is one here.
    case unknownPasswordIdentifier
    /// It says that we rejected group 19: somebody between us wants us to use a weaker one (IEEE 802.11-2020, 12.4.8.6.3).
    case downgrade
    /// Its frame is not of the form that the standard gives it.
    case malformed
    /// Its scalar or its element is not one of the group, or leads to the point at infinity.
    case invalidShare
    /// It sent the same frame too often.
    case tooManyRetransmissions
    /// The box cannot compute: the library failed, through no fault of the station.
    case libraryFailed(WiFiCryptoError)
}

extension SAERefusal: CustomStringConvertible {
    /// Whose fault it is, and what to do.
    public var description: String {
        switch self {
        case .wrongPassword: "the phone has another password: scan the code again"
        case .unsupportedGroup(let group): "the phone asked for group \(group); it must also speak group 19"
        case .unsupportedMethod(let status): "the phone uses a form of SAE that is not allowed here: \(status)"
        case .unknownPasswordIdentifier: "the phone names a password identifier; this network has none"
        case .downgrade: "somebody between the phone and the box wants them to use a weaker group"
        case .malformed: "the phone's SAE frame cannot be read"
        case .invalidShare: "the phone's SAE commit is not valid"
        case .tooManyRetransmissions: "the phone does not hear the box: it must come nearer"
        case .libraryFailed(let error): "\(error)"
        }
    }
}

/// What came of an exchange.
public enum SAEEvent: Sendable, Equatable {
    /// The station knows the password. Its confirm is answered with this output.
    /// - pmk: the pairwise master key for the 4-way handshake, 32 octets.
    /// - pmkid: its name.
    /// - method: how the station found the password element. Our RSNXE says that we do hash-to-element; the 4-way handshake
    ///   shows a station that was made not to see it.
    case accepted(MACAddress, pmk: SecretBytes, pmkid: [UInt8], method: SAEMethod)
    /// The station was refused.
    case refused(MACAddress, SAERefusal)
}

/// What an ``SAEAuthenticator`` wants done. One value is used again and again: empty it before each input.
public struct SAEOutput: Sendable {
    /// An authentication frame to send, its algorithm SAE.
    public struct Frame: Sendable, Equatable {
        /// The station.
        public var destination: MACAddress
        /// The frame's transaction sequence number.
        public var transaction: UInt16
        /// The frame's status.
        public var status: StatusCode
        /// What follows the status: a range of ``SAEOutput/written``.
        public var body: Range<Int>
    }

    /// The bytes of the frames.
    public internal(set) var written = ByteWriter(capacity: 256)
    /// What to send, in this order.
    public internal(set) var frames: [Frame] = []
    /// What came of exchanges.
    public internal(set) var events: [SAEEvent] = []

    /// Makes an empty output.
    public init() {}

    /// Empties the output and keeps its memory.
    public mutating func removeAll() {
        written.removeAll()
        frames.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
    }

    /// Adds a frame whose body `write` appends.
    mutating func send(
        to destination: MACAddress, transaction: UInt16, status: StatusCode,
        _ write: (inout ByteWriter) -> Void = { _ in }
    ) {
        let start = written.count
        write(&written)
        frames.append(
            Frame(destination: destination, transaction: transaction, status: status, body: start..<written.count))
    }
}

/// What an ``SAEAuthenticator`` has done so far.
public struct SAECounters: Sendable, Equatable {
    /// Exchanges that ended with a key.
    public internal(set) var accepted = 0
    /// Confirms that did not verify.
    public internal(set) var wrongPasswords = 0
    /// Commits and confirms refused for other reasons.
    public internal(set) var refused = 0
    /// Commits that were answered with a token.
    public internal(set) var tokensAsked = 0
    /// Exchanges pushed out by others before their confirm came.
    public internal(set) var evicted = 0
    /// Exchanges whose confirm never came.
    public internal(set) var expired = 0
    /// Frames dropped since there was too much work.
    public internal(set) var overworked = 0
    /// Frames ignored: of no exchange, of a past one, or our own come back.
    public internal(set) var ignored = 0
}
