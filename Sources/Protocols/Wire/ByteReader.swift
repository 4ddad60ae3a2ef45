/// Reads network-order integers and runs of bytes from memory it only borrows, front to back.
///
/// Every read first checks what is left, so no input makes it trap; a read that finds too little answers nil
/// and leaves the position where it was.
public struct ByteReader: ~Escapable {
    /// All the bytes, those already read included.
    public let bytes: RawSpan
    @usableFromInline var position: Int

    /// Makes a reader at the first byte.
    /// - Parameter bytes: the memory to read.
    @inlinable
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) {
        self.bytes = bytes
        self.position = 0
    }

    /// Where the next read starts, counted from the first byte.
    @inlinable
    public var offset: Int { position }

    /// How many bytes are left.
    @inlinable
    public var remaining: Int { bytes.byteCount &- position }

    /// Reads one octet.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func readUInt8() -> UInt8? { read(UInt8.self) }

    /// Reads two octets, the high one first.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func readUInt16() -> UInt16? { read(UInt16.self) }

    /// Reads four octets, the highest one first.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func readUInt32() -> UInt32? { read(UInt32.self) }

    /// Reads eight octets, the highest one first.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func readUInt64() -> UInt64? { read(UInt64.self) }

    @inlinable
    @_lifetime(self: copy self)
    mutating func read<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type) -> Value? {
        guard remaining >= MemoryLayout<Value>.size else { return nil }
        let value = bytes.unsafeLoadUnaligned(fromByteOffset: position, as: Value.self)
        position &+= MemoryLayout<Value>.size
        return Value(bigEndian: value)
    }

    /// Reads `count` bytes without copying them.
    /// - Parameter count: how many; a negative count answers nil.
    @inlinable
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    public mutating func readBytes(_ count: Int) -> RawSpan? {
        guard count >= 0, remaining >= count else { return nil }
        let run = bytes.extracting(position..<(position &+ count))
        position &+= count
        return run
    }

    /// Passes over `count` bytes.
    /// - Returns: false, and nothing is passed over, when fewer are left or the count is negative.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func skip(_ count: Int) -> Bool {
        guard count >= 0, remaining >= count else { return false }
        position &+= count
        return true
    }
}

extension RawSpan {
    /// A copy of the bytes.
    @inlinable
    public var copied: [UInt8] {
        withUnsafeBytes { [UInt8]($0) }
    }

    /// Whether the bytes are exactly those of `other`; the time it takes tells where they differ, so not for secrets.
    /// - Parameter other: the bytes to compare with.
    @inlinable
    public func elementsEqual(_ other: some Collection<UInt8>) -> Bool {
        withUnsafeBytes { $0.elementsEqual(other) }
    }
}
