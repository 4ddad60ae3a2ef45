import Wire

// IEEE 802.11 sends the low octet first (IEEE 802.11-2020, 9.2.2).

extension ByteReader {
    /// Reads two octets, the low one first.
    @_lifetime(self: copy self)
    mutating func readLittleUInt16() -> UInt16? { readUInt16()?.byteSwapped }

    /// Reads four octets, the lowest one first.
    @_lifetime(self: copy self)
    mutating func readLittleUInt32() -> UInt32? { readUInt32()?.byteSwapped }
}

extension ByteWriter {
    /// Appends two octets, the low one first.
    mutating func write(little value: UInt16) { write(value.byteSwapped) }

    /// Appends four octets, the lowest one first.
    mutating func write(little value: UInt32) { write(value.byteSwapped) }
}
