import COpenSSL

/// Octets that nobody else should know: a key, or what one is made of.
///
/// Copies share one piece of memory, which is overwritten before it is given back. Two values are compared in a time that
/// does not depend on what they hold, and nothing prints them.
public struct SecretBytes: Sendable {
    private let storage: Storage

    /// Unchanged from its initializer's end to its deinitializer's beginning, so threads may share it.
    private final class Storage: @unchecked Sendable {
        let memory: UnsafeMutableRawBufferPointer

        init(count: Int) {
            // One octet at least, so that there is an address.
            memory = .allocate(byteCount: max(count, 1), alignment: 16)
            memory.initializeMemory(as: UInt8.self, repeating: 0)
        }

        deinit {
            OPENSSL_cleanse(memory.baseAddress, memory.count)
            memory.deallocate()
        }
    }

    /// How many octets there are.
    public let count: Int

    /// Copies octets; the original is the caller's to forget.
    public init(_ octets: some Collection<UInt8>) {
        self.init(count: octets.count) { $0.copyBytes(from: octets) }
    }

    /// Copies borrowed octets.
    public init(_ octets: RawSpan) {
        self.init(count: octets.byteCount) { memory in
            octets.withUnsafeBytes { memory.copyMemory(from: $0) }
        }
    }

    /// Takes octets over: the original is overwritten and emptied.
    /// - Parameter octets: an array that nothing else holds, grown in room reserved before, so that no copy is left.
    public init(wiping octets: inout [UInt8]) {
        self.init(octets)
        octets.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
        octets = []
    }

    /// Draws octets.
    /// - Parameters:
    ///   - count: how many.
    ///   - generator: a cryptographic generator.
    public init(randomCount count: Int, using generator: inout some RandomNumberGenerator) {
        self.init(count: count) { memory in
            // The system's generator is a system call for each draw.
            var drawn: UInt64 = 0
            for index in memory.indices {
                if index % 8 == 0 { drawn = generator.next() }
                memory[index] = UInt8(truncatingIfNeeded: drawn)
                drawn >>= 8
            }
        }
    }

    /// Makes octets in place.
    /// - Parameters:
    ///   - count: how many; negative is none.
    ///   - body: fills them; they are zero before.
    public init<Failure: Error>(
        count: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let count = max(count, 0)
        let storage = Storage(count: count)
        try body(UnsafeMutableRawBufferPointer(rebasing: storage.memory[..<count]))
        self.storage = storage
        self.count = count
    }

    /// The octets, borrowed.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            let span = RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: storage.memory[..<count]))
            return _overrideLifetime(span, borrowing: self)
        }
    }

    /// A copy of some of the octets.
    /// - Parameter range: which; what is outside of the octets is left out.
    public subscript(range: Range<Int>) -> SecretBytes {
        let range = range.clamped(to: 0..<count)
        return SecretBytes(count: range.count) { memory in
            memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage.memory[range]))
        }
    }

    /// Calls `body` with the octets, for a function of C.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(rebasing: storage.memory[..<count]))
    }
}

extension SecretBytes: Equatable {
    /// Whether both hold the same, in a time that depends on nothing but their counts.
    public static func == (left: SecretBytes, right: SecretBytes) -> Bool {
        left.bytes.isEqualInConstantTime(to: right.bytes)
    }
}

extension SecretBytes: CustomStringConvertible, CustomReflectable {
    /// How many octets there are, not which.
    public var description: String { "\(count) secret octets" }
    /// Nothing, so that `dump` and test failures print no key.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

extension RawSpan {
    /// Whether the bytes are those of `other`, in a time that depends on nothing but their counts.
    /// - Parameter other: the bytes to compare with, such as a computed integrity code.
    public func isEqualInConstantTime(to other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        return withUnsafeBytes { left in
            other.withUnsafeBytes { right in
                guard let left = left.baseAddress, let right = right.baseAddress else { return true }
                return CRYPTO_memcmp(left, right, byteCount) == 0
            }
        }
    }
}
