import Wire

/// What an EAPOL-Key frame is and has, its Key Information field (IEEE 802.11-2020, 12.7.2, Figure 12-34).
public struct KeyInformation: OptionSet, Hashable, Sendable {
    /// The field, as a number.
    public let rawValue: UInt16

    /// Makes a field of its number.
    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The frame belongs to a 4-way handshake, not to a group key handshake (Key Type).
    public static let pairwise = KeyInformation(rawValue: 1 << 3)
    /// The pairwise key is to be installed (Install).
    public static let install = KeyInformation(rawValue: 1 << 6)
    /// The frame wants an answer, so it is the authenticator's (Key Ack).
    public static let acknowledge = KeyInformation(rawValue: 1 << 7)
    /// The frame has an integrity code (Key MIC).
    public static let integrityCode = KeyInformation(rawValue: 1 << 8)
    /// Keys have been agreed on (Secure).
    public static let secure = KeyInformation(rawValue: 1 << 9)
    /// With ``request``: the supplicant saw a wrong integrity code of TKIP (Error).
    public static let error = KeyInformation(rawValue: 1 << 10)
    /// The supplicant asks for a handshake (Request).
    public static let request = KeyInformation(rawValue: 1 << 11)
    /// The key data is encrypted (Encrypted Key Data).
    public static let encryptedKeyData = KeyInformation(rawValue: 1 << 12)

    /// The field's version, which says how the frame is protected (Key Descriptor Version): the low three bits.
    @inlinable
    public var descriptorVersion: UInt8 { UInt8(rawValue & 7) }

    /// This field with a version.
    /// - Parameter version: 0 to 7.
    @inlinable
    public func with(descriptorVersion version: UInt8) -> KeyInformation {
        KeyInformation(rawValue: rawValue & ~7 | UInt16(version & 7))
    }
}

/// Why octets are no EAPOL-Key frame; the sender's fault.
public enum EAPOLError: Error, Hashable, Sendable {
    /// They end before what must be there.
    case truncated
    /// They are another packet of IEEE 802.1X, of this type; 1 is EAPOL-Start.
    case otherPacket(UInt8)
    /// The key descriptor is of this type; 254 is that of WPA before its standard.
    case otherDescriptor(UInt8)
    /// An element or KDE of the key data ends after the key data.
    case malformedKeyData
}

/// An EAPOL-Key frame (IEEE 802.1X-2020, 11.3; IEEE 802.11-2020, 12.7.2), with an integrity code of 16 octets as all AKMs
/// but those of 192 bits and more have it.
public struct EAPOLKeyFrame: Hashable, Sendable {
    /// Octets before the key data: the head of 4 and the descriptor.
    public static let headerSize = 99
    /// Where the integrity code is.
    static let integrityCodeRange = 81..<97
    /// The type of IEEE 802.1X's packets that carry keys.
    static let packetType: UInt8 = 3
    /// The type of the descriptor of RSN.
    static let descriptorType: UInt8 = 2
    /// Octets of a nonce.
    public static let nonceSize = 32
    /// Octets of an integrity code.
    public static let integrityCodeSize = 16

    /// The version of IEEE 802.1X; 1 and 3 are common too.
    public var protocolVersion: UInt8 = 2
    /// What the frame is.
    public var information: KeyInformation
    /// Octets of the pairwise key to be made; 0 from a supplicant.
    public var keyLength: UInt16 = 0
    /// Which of the authenticator's frames this is, or answers.
    public var replayCounter: UInt64
    /// ANonce, SNonce or zeros: ``nonceSize`` octets.
    public var nonce: [UInt8]
    /// The packet number from which the group key's receiver counts on (Key RSC).
    public var receiveSequence: UInt64 = 0
    /// The integrity code, ``integrityCodeSize`` octets; zeros when there is none.
    public var integrityCode = [UInt8](repeating: 0, count: integrityCodeSize)
    /// Elements and KDEs, possibly encrypted.
    public var keyData: [UInt8]

    /// Makes a frame with no integrity code yet.
    /// - Parameters:
    ///   - information: what it is.
    ///   - replayCounter: the authenticator's counter.
    ///   - nonce: ``nonceSize`` octets; zeros when left out.
    ///   - keyData: at most 65,440 octets.
    public init(
        information: KeyInformation, replayCounter: UInt64,
        nonce: [UInt8] = [UInt8](repeating: 0, count: nonceSize), keyData: [UInt8] = []
    ) {
        self.information = information
        self.replayCounter = replayCounter
        self.nonce = nonce
        self.keyData = keyData
    }

    /// Reads a frame. Octets after its end, as short Ethernet frames have them, are passed over.
    /// - Parameter bytes: the frame from the head of IEEE 802.1X on.
    public init(parsing bytes: RawSpan) throws(EAPOLError) {
        var reader = ByteReader(bytes)
        guard let version = reader.readUInt8(), let type = reader.readUInt8(), let length = reader.readUInt16() else {
            throw .truncated
        }
        guard type == Self.packetType else { throw .otherPacket(type) }
        guard let body = reader.readBytes(Int(length)) else { throw .truncated }
        reader = ByteReader(body)
        guard let descriptor = reader.readUInt8() else { throw .truncated }
        guard descriptor == Self.descriptorType else { throw .otherDescriptor(descriptor) }
        // Behind the nonce come 16 octets that only RC4 needed (EAPOL-Key IV), behind the sequence 8 reserved ones.
        guard let information = reader.readUInt16(), let keyLength = reader.readUInt16(),
            let replayCounter = reader.readUInt64(), let nonce = reader.readBytes(Self.nonceSize), reader.skip(16),
            let receiveSequence = reader.readUInt64(), reader.skip(8),
            let integrityCode = reader.readBytes(Self.integrityCodeSize), let count = reader.readUInt16(),
            let keyData = reader.readBytes(Int(count))
        else { throw .truncated }
        protocolVersion = version
        self.information = KeyInformation(rawValue: information)
        self.keyLength = keyLength
        self.replayCounter = replayCounter
        self.nonce = nonce.copied
        // Packet numbers are sent with the low octet first (12.7.2).
        self.receiveSequence = receiveSequence.byteSwapped
        self.integrityCode = integrityCode.copied
        self.keyData = keyData.copied
    }

    /// The frame's octets, from the head of IEEE 802.1X on.
    public var encoded: [UInt8] {
        var writer = ByteWriter(capacity: Self.headerSize + keyData.count)
        writer.write(protocolVersion)
        writer.write(Self.packetType)
        writer.write(UInt16(clamping: Self.headerSize - 4 + keyData.count))
        writer.write(Self.descriptorType)
        writer.write(information.rawValue)
        writer.write(keyLength)
        writer.write(replayCounter)
        writer.write(bytes: nonce.prefix(Self.nonceSize))
        writer.writeZeros(Self.nonceSize - nonce.count + 16)
        writer.write(receiveSequence.byteSwapped)
        writer.writeZeros(8)
        writer.write(bytes: integrityCode.prefix(Self.integrityCodeSize))
        writer.writeZeros(Self.integrityCodeSize - integrityCode.count)
        writer.write(UInt16(clamping: keyData.count))
        writer.write(bytes: keyData)
        return writer.bytes
    }

    /// What the integrity code is computed over: the frame without what follows it, zeros in the code's place; nil when
    /// the octets are too few.
    static func authenticated(_ bytes: RawSpan) -> [UInt8]? {
        var reader = ByteReader(bytes)
        guard reader.skip(2), let length = reader.readUInt16(), length >= headerSize - 4,
            bytes.byteCount >= Int(length) + 4
        else { return nil }
        var copy = bytes.extracting(first: Int(length) + 4).copied
        for index in integrityCodeRange { copy[index] = 0 }
        return copy
    }
}
