public import Authenticator
public import WiFiCrypto

/// What a ``Supplicant`` wants done. One value is used again and again: empty it before each input.
public struct SupplicantOutput: Sendable {
    /// An EAPOL frame to send.
    public struct Transmission: Sendable {
        /// Its octets, from the head of IEEE 802.1X on.
        public var octets: [UInt8]
        /// Whether it goes out encrypted: the key was installed before.
        public var isEncrypted: Bool
    }

    /// What to send, in this order, before any of ``events`` is acted on.
    public var frames: [Transmission] = []
    /// What happened, in this order.
    public var events: [SupplicantEvent] = []

    /// Makes an empty output.
    public init() {}

    /// Empties the output.
    public mutating func removeAll() {
        frames.removeAll()
        events.removeAll()
    }
}

/// What became of a frame at a ``Supplicant``.
public enum SupplicantEvent: Sendable, Equatable {
    /// The temporal key was installed.
    case installedPairwise(SecretBytes)
    /// A group key was installed, with the packet number from which it counts on.
    case installedGroup(SecretBytes, index: UInt8, sequence: UInt64)
    /// A group key for management frames was installed.
    case installedIntegrityGroup(SecretBytes, index: UInt16, sequence: UInt64)
    /// The 4-way handshake is over.
    case connected
    /// The frame was ignored.
    case ignored(SupplicantRefusal)
    /// The access point is not the one it said to be; the phone leaves.
    case failed(SupplicantRefusal)
}

/// Why a ``Supplicant`` ignores a frame, or leaves.
public enum SupplicantRefusal: Error, Sendable, Equatable {
    /// It is no EAPOL-Key frame that an authenticator sends.
    case unreadable(EAPOLError)
    /// Its flags are not those of a message known here.
    case unexpectedFlags(KeyInformation)
    /// Its counter is not above the last.
    case replayed
    /// Its integrity code is wrong.
    case wrongIntegrityCode
    /// Its ANonce is not that of message 1.
    case wrongNonce
    /// Its key data can't be decrypted or read, or lacks a key.
    case wrongKeyData
    /// Its elements are not those of the beacon.
    case elementMismatch
    /// Its PMKID is of another PMK.
    case wrongPMKID
}

/// How a ``Supplicant`` may differ from what is common.
public struct SupplicantHabits: OptionSet, Sendable {
    /// The habits, as a number.
    public let rawValue: Int

    /// Makes habits of their number.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Each message 2 has another SNonce, also when message 1 has the same ANonce.
    public static let newNonceEachTime = SupplicantHabits(rawValue: 1 << 0)
    /// Message 4 is never encrypted, also when it is sent again after the key was installed.
    public static let plaintextMessage4 = SupplicantHabits(rawValue: 1 << 1)
    /// The flag Secure is not set in message 4.
    public static let noSecureFlag = SupplicantHabits(rawValue: 1 << 2)
    /// Frames are followed by zeros up to the 60 octets and more that short Ethernet frames have.
    public static let trailingZeros = SupplicantHabits(rawValue: 1 << 3)
}
