// Masks instead of branches, for what must not tell a secret by the time it takes: 0xFF is yes, 0 is no.

/// Chooses one of two secrets of the same length, in a time that does not tell which.
/// - Parameters:
///   - mask: 0xFF for the first, 0 for the second.
///   - first: one of them.
///   - second: the other; octets that the longer one has more are left out.
public func constantTimeSelect(
    _ mask: UInt8, _ first: borrowing SecretBytes, _ second: borrowing SecretBytes
) -> SecretBytes {
    first.withUnsafeBytes { first in
        second.withUnsafeBytes { second in
            SecretBytes(count: min(first.count, second.count)) { memory in
                for index in memory.indices { memory[index] = (first[index] & mask) | (second[index] & ~mask) }
            }
        }
    }
}

/// 0xFF where the octets, the highest first, are those of the number, else 0.
func constantTimeIs(_ number: UInt8, _ octets: borrowing SecretBytes) -> UInt8 {
    octets.withUnsafeBytes { octets in
        var difference = (octets.last ?? 0) ^ number
        for octet in octets.dropLast() { difference |= octet }
        // Only 0 has a borrow.
        return UInt8(truncatingIfNeeded: (UInt16(difference) &- 1) >> 8)
    }
}

/// 0xFF where the first number is the lower one, else 0; both have as many octets, the highest first.
func constantTimeIsBelow(_ left: borrowing SecretBytes, _ right: borrowing SecretBytes) -> UInt8 {
    left.withUnsafeBytes { left in
        right.withUnsafeBytes { right in
            var borrow: UInt16 = 0
            for index in 0..<min(left.count, right.count) {
                let index = min(left.count, right.count) &- 1 &- index
                borrow = (UInt16(left[index]) &- UInt16(right[index]) &- borrow) >> 15
            }
            return UInt8(truncatingIfNeeded: 0 &- borrow)
        }
    }
}
