import Wire

/// The type of a record's content (RFC 5246 section 6.2.1); others exist.
enum ContentType {
    static let changeCipherSpec: UInt8 = 20
    static let alert: UInt8 = 21
    static let handshake: UInt8 = 22
    static let applicationData: UInt8 = 23
}

/// The type of a handshake message (RFC 5246 section 7.4); others exist.
enum HandshakeType {
    static let helloRequest: UInt8 = 0
    static let clientHello: UInt8 = 1
    static let finished: UInt8 = 20
}

/// An alert (RFC 5246 section 7.2); others exist.
enum Alert {
    static let warning: UInt8 = 1
    static let fatal: UInt8 = 2
    static let closeNotify: UInt8 = 0
    static let noRenegotiation: UInt8 = 100
}

/// The head of a record (RFC 6347 section 4.1).
struct RecordHeader {
    /// Octets of a head.
    static let size = 13
    /// The most octets of plaintext (RFC 5246 section 6.2.1).
    static let maximumPlaintext = 1 << 14
    /// DTLS 1.2.
    static let version: UInt16 = 0xFEFD

    var type: UInt8
    var version: UInt16
    /// The epoch in the upper 16 bits, the sequence number in the others.
    var number: UInt64
    /// Octets behind the head.
    var length: Int

    var epoch: UInt16 { UInt16(truncatingIfNeeded: number >> 48) }

    /// Reads a head with its whole record behind it; nil when there is none, or it is cut off, or not of DTLS.
    init?(_ reader: inout ByteReader) {
        guard let type = reader.readUInt8(), let version = reader.readUInt16(), let number = reader.readUInt64(),
            let length = reader.readUInt16(), reader.remaining >= Int(length), version >> 8 == 0xFE
        else { return nil }
        self.type = type
        self.version = version
        self.number = number
        self.length = Int(length)
    }

    init(type: UInt8, version: UInt16 = Self.version, number: UInt64, length: Int) {
        self.type = type
        self.version = version
        self.number = number
        self.length = length
    }

    /// Writes the head at the start of `buffer`, which must have room for it.
    func write(to buffer: UnsafeMutableRawBufferPointer) {
        buffer[0] = type
        buffer.storeBytes(of: version.bigEndian, toByteOffset: 1, as: UInt16.self)
        buffer.storeBytes(of: number.bigEndian, toByteOffset: 3, as: UInt64.self)
        buffer.storeBytes(of: UInt16(truncatingIfNeeded: length).bigEndian, toByteOffset: 11, as: UInt16.self)
    }
}

/// Which record numbers have come (RFC 6347 section 4.1.2.6).
struct ReplayWindow {
    /// The highest number that came.
    private var highest: UInt64?
    /// Bit n stands for the number n below the highest.
    private var seen: UInt64 = 0

    /// Whether a record of this number is new, as far as can still be told.
    func admits(_ number: UInt64) -> Bool {
        guard let highest, number <= highest else { return true }
        let age = highest - number
        return age < 64 && seen & 1 << age == 0
    }

    /// Takes note of an authentic record.
    mutating func note(_ number: UInt64) {
        guard let highest, number <= highest else {
            // A shift by 64 or more leaves nothing.
            seen = seen << (number - (highest ?? number)) | 1
            self.highest = number
            return
        }
        let age = highest - number
        if age < 64 { seen |= 1 << age }
    }
}
