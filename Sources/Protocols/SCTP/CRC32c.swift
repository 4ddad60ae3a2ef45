/// The checksum of SCTP packets (RFC 9260 section 6.8 and appendix A), eight octets at a step.
enum CRC32c {
    /// Eight tables of 256 entries: entry `256 * n + octet` is what `octet` does to the register `n` octets later.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for octet in 0..<256 {
            var register = UInt32(octet)
            for _ in 0..<8 { register = register >> 1 ^ (register & 1 == 1 ? 0x82F6_3B78 : 0) }
            tables[octet] = register
        }
        for index in 256..<tables.count {
            let earlier = tables[index - 256]
            tables[index] = earlier >> 8 ^ tables[Int(earlier & 0xFF)]
        }
        return tables
    }()

    /// The checksum of bytes.
    static func checksum(of bytes: UnsafeRawBufferPointer) -> UInt32 {
        tables.withUnsafeBufferPointer { ~update(.max, bytes[...], $0) }
    }

    /// The checksum of a packet as if its checksum field were zero, which is how it is computed.
    /// - Parameter packet: at least the twelve octets of the common header.
    static func checksum(ofPacket packet: UnsafeRawBufferPointer) -> UInt32 {
        tables.withUnsafeBufferPointer { tables in
            var register = update(.max, packet[..<8], tables)
            register = tables.step(register)
            return ~update(register, packet[12...], tables)
        }
    }

    private static func update(
        _ start: UInt32, _ bytes: Slice<UnsafeRawBufferPointer>, _ tables: UnsafeBufferPointer<UInt32>
    ) -> UInt32 {
        let bytes = UnsafeRawBufferPointer(rebasing: bytes)
        var register = start
        var offset = 0
        while offset &+ 8 <= bytes.count {
            let word =
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ UInt64(register)
            let low = UInt32(truncatingIfNeeded: word)
            let high = UInt32(truncatingIfNeeded: word >> 32)
            let early =
                tables[7 &* 256 &+ Int(low & 0xFF)] ^ tables[6 &* 256 &+ Int(low >> 8 & 0xFF)]
                ^ tables[5 &* 256 &+ Int(low >> 16 & 0xFF)] ^ tables[4 &* 256 &+ Int(low >> 24)]
            let late =
                tables[3 &* 256 &+ Int(high & 0xFF)] ^ tables[2 &* 256 &+ Int(high >> 8 & 0xFF)]
                ^ tables[256 &+ Int(high >> 16 & 0xFF)] ^ tables[Int(high >> 24)]
            register = early ^ late
            offset &+= 8
        }
        while offset < bytes.count {
            register = register >> 8 ^ tables[Int((register ^ UInt32(bytes[offset])) & 0xFF)]
            offset &+= 1
        }
        return register
    }
}

extension UnsafeBufferPointer<UInt32> {
    /// What four zero octets do to the register.
    fileprivate func step(_ register: UInt32) -> UInt32 {
        self[3 &* 256 &+ Int(register & 0xFF)] ^ self[2 &* 256 &+ Int(register >> 8 & 0xFF)]
            ^ self[256 &+ Int(register >> 16 & 0xFF)] ^ self[Int(register >> 24)]
    }
}
