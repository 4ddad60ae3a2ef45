import IEEE80211
public import WiFiCrypto
import Wire

/// The kinds of KDE known here: data types of the OUI 00-0F-AC (IEEE 802.11-2020, Table 12-9).
enum KeyDataType {
    static let groupKey: UInt32 = 0x000F_AC01
    static let address: UInt32 = 0x000F_AC03
    static let pmkid: UInt32 = 0x000F_AC04
    static let integrityGroupKey: UInt32 = 0x000F_AC09
    /// The identifier that all KDEs have, a vendor's element's.
    static let identifier: UInt8 = 0xDD
}

/// What the key data of an EAPOL-Key frame says (IEEE 802.11-2020, 12.7.2): elements, and KDEs for what is no element.
/// Unknown ones are passed over; of several of a kind the first counts.
public struct KeyData: Equatable, Sendable {
    /// A group key for data (GTK KDE).
    public struct GroupKey: Equatable, Sendable {
        /// Its identifier in frames: 1 or 2, but 0 and 3 can be said.
        public var index: UInt8
        /// The key.
        public var key: SecretBytes
    }

    /// A group key for management frames (IGTK KDE).
    public struct IntegrityGroupKey: Equatable, Sendable {
        /// Its identifier in frames: 4 or 5, but others can be said.
        public var index: UInt16
        /// The packet number from which the receiver counts on, 48 bits (IPN).
        public var sequence: UInt64
        /// The key.
        public var key: SecretBytes
    }

    /// The RSN element with its identifier and length.
    public var rsn: [UInt8]?
    /// The RSN extension element with its identifier and length.
    public var rsnExtension: [UInt8]?
    /// The key that protects data to all.
    public var groupKey: GroupKey?
    /// The key that protects management frames to all.
    public var integrityGroupKey: IntegrityGroupKey?
    /// Which PMK is in use, 16 octets.
    public var pmkid: [UInt8]?

    /// Makes empty key data.
    public init() {}

    /// Reads key data that is not, or no longer, encrypted. What fills it up at its end is passed over.
    /// - Throws: ``EAPOLError/malformedKeyData``.
    public init(parsing bytes: RawSpan) throws(EAPOLError) {
        var reader = ByteReader(bytes)
        while reader.remaining > 0 {
            let start = reader.offset
            let id = reader.readUInt8() ?? 0
            // The filling: 0xDD, then zeros, for which there may be no room (12.7.2).
            guard let length = reader.readUInt8() else {
                guard id == KeyDataType.identifier else { throw .malformedKeyData }
                return
            }
            if id == KeyDataType.identifier && length == 0 { return }
            guard let body = reader.readBytes(Int(length)) else { throw .malformedKeyData }
            switch id {
            case ElementID.rsn.rawValue:
                if rsn == nil { rsn = bytes.extracting(start..<reader.offset).copied }
            case ElementID.rsnExtension.rawValue:
                if rsnExtension == nil { rsnExtension = bytes.extracting(start..<reader.offset).copied }
            case KeyDataType.identifier:
                takeKDE(body)
            default:
                break
            }
        }
    }

    private mutating func takeKDE(_ body: RawSpan) {
        var reader = ByteReader(body)
        switch reader.readUInt32() {
        case KeyDataType.groupKey:
            guard groupKey == nil, let flags = reader.readUInt8(), reader.skip(1),
                let key = reader.readBytes(reader.remaining), key.byteCount > 0
            else { return }
            groupKey = GroupKey(index: flags & 3, key: SecretBytes(key))
        case KeyDataType.integrityGroupKey:
            guard integrityGroupKey == nil, let index = reader.readUInt16(), let low = reader.readUInt32(),
                let high = reader.readUInt16(), let key = reader.readBytes(reader.remaining), key.byteCount > 0
            else { return }
            integrityGroupKey = IntegrityGroupKey(
                index: index.byteSwapped, sequence: UInt64(high.byteSwapped) << 32 | UInt64(low.byteSwapped),
                key: SecretBytes(key))
        case KeyDataType.pmkid:
            guard pmkid == nil, reader.remaining == RSNElement.pmkidLength else { return }
            pmkid = reader.readBytes(reader.remaining)?.copied
        default:
            break
        }
    }

    /// The octets: elements, then KDEs.
    public var encoded: SecretBytes {
        // Enough for two elements of the greatest length and all KDEs, so that no copy of a key is left behind.
        var octets: [UInt8] = []
        octets.reserveCapacity(1_024)
        if let rsn { octets.append(contentsOf: rsn) }
        if let rsnExtension { octets.append(contentsOf: rsnExtension) }
        if let pmkid { octets.appendKDE(KeyDataType.pmkid, pmkid.span.bytes) }
        if let groupKey {
            // The bit Tx is not set: only the access point sends under this key (Figure 12-36).
            octets.appendKDE(KeyDataType.groupKey, head: [groupKey.index & 3, 0], groupKey.key.bytes)
        }
        if let igtk = integrityGroupKey {
            let head =
                withUnsafeBytes(of: igtk.index.littleEndian) { [UInt8]($0) }
                + withUnsafeBytes(of: igtk.sequence.littleEndian) { [UInt8]($0.prefix(6)) }
            octets.appendKDE(KeyDataType.integrityGroupKey, head: head, igtk.key.bytes)
        }
        return SecretBytes(wiping: &octets)
    }

    /// The octets encrypted, filled up to a count that can be (12.7.2).
    func wrapped(key: SecretBytes) throws(WiFiCryptoError) -> [UInt8] {
        let plain = encoded
        let filled = max((plain.count + 7) / 8 * 8, AESKeyWrap.minimumOctets)
        let padded = SecretBytes(count: filled) { memory in
            plain.withUnsafeBytes { memory.copyMemory(from: $0) }
            if filled > plain.count { memory[plain.count] = KeyDataType.identifier }
        }
        return try AESKeyWrap.wrap(padded.bytes, key: key)
    }
}

extension [UInt8] {
    fileprivate mutating func appendKDE(_ type: UInt32, head: [UInt8] = [], _ body: RawSpan) {
        append(KeyDataType.identifier)
        append(UInt8(clamping: 4 + head.count + body.byteCount))
        Swift.withUnsafeBytes(of: type.bigEndian) { append(contentsOf: $0) }
        append(contentsOf: head)
        body.withUnsafeBytes { append(contentsOf: $0) }
    }
}
