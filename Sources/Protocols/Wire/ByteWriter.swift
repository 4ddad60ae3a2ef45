/// Appends network-order integers and runs of bytes to a buffer that can be used again.
public struct ByteWriter: Sendable {
    @usableFromInline var storage: [UInt8]

    /// Makes an empty writer.
    /// - Parameter capacity: bytes to set aside at once; the buffer grows beyond them by itself.
    @inlinable
    public init(capacity: Int = 0) {
        storage = []
        if capacity > 0 { storage.reserveCapacity(capacity) }
    }

    /// What has been written.
    @inlinable
    public var bytes: [UInt8] { storage }

    /// How many bytes have been written.
    @inlinable
    public var count: Int { storage.count }

    /// Forgets what has been written and keeps the memory.
    @inlinable
    public mutating func removeAll() {
        storage.removeAll(keepingCapacity: true)
    }

    /// Appends one octet.
    @inlinable
    public mutating func write(_ value: UInt8) {
        storage.append(value)
    }

    /// Appends two octets, the high one first.
    @inlinable
    public mutating func write(_ value: UInt16) { writeInteger(value) }

    /// Appends four octets, the highest one first.
    @inlinable
    public mutating func write(_ value: UInt32) { writeInteger(value) }

    /// Appends eight octets, the highest one first.
    @inlinable
    public mutating func write(_ value: UInt64) { writeInteger(value) }

    @inlinable
    mutating func writeInteger<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
        withUnsafeBytes(of: value.bigEndian) { storage.append(contentsOf: $0) }
    }

    /// Appends bytes.
    @inlinable
    public mutating func write(bytes run: some Collection<UInt8>) {
        storage.append(contentsOf: run)
    }

    /// Appends borrowed bytes.
    @inlinable
    public mutating func write(_ run: RawSpan) {
        run.withUnsafeBytes { storage.append(contentsOf: $0) }
    }

    /// Appends `count` zero octets; none when the count is negative.
    @inlinable
    public mutating func writeZeros(_ count: Int) {
        guard count > 0 else { return }
        storage.append(contentsOf: repeatElement(0, count: count))
    }

    /// Writes two octets over ones written before; does nothing unless both exist.
    /// - Parameters:
    ///   - value: what to write, its high octet first.
    ///   - offset: where the first octet is.
    @inlinable
    public mutating func overwrite(_ value: UInt16, at offset: Int) {
        guard offset >= 0, offset < storage.count - 1 else { return }
        storage[offset] = UInt8(truncatingIfNeeded: value >> 8)
        storage[offset + 1] = UInt8(truncatingIfNeeded: value)
    }
}
