import NIOCore
import NIOWebSocket

extension ByteBuffer {
    /// Appends the bytes of a WebSocket frame with the mask taken off (RFC 6455, section 5.3).
    ///
    /// Eight bytes at a time and into storage that is there: this stands in the path of every message.
    /// - Parameters:
    ///   - masked: the frame's bytes as they came.
    ///   - key: the frame's masking key.
    mutating func writeUnmasked(_ masked: ByteBuffer, _ key: WebSocketMaskingKey) {
        let count = masked.readableBytes
        writeWithUnsafeMutableBytes(minimumWritableBytes: count) { target in
            masked.withUnsafeReadableBytes { source in
                let word = (0..<8).reduce(UInt64(0)) { $0 | UInt64(key[$1 & 3]) << UInt64(8 * $1) }.littleEndian
                var offset = 0
                while offset + 8 <= count {
                    let value = source.loadUnaligned(fromByteOffset: offset, as: UInt64.self) ^ word
                    target.storeBytes(of: value, toByteOffset: offset, as: UInt64.self)
                    offset += 8
                }
                while offset < count {
                    target[offset] = source[offset] ^ key[offset & 3]
                    offset += 1
                }
            }
            return count
        }
    }

    /// Appends a server's text frame, whole and unmasked (RFC 6455, section 5.2).
    mutating func writeTextFrame(_ text: ArraySlice<UInt8>) {
        reserveCapacity(minimumWritableBytes: 10 + text.count)
        writeInteger(UInt8(0x81))  // FIN, and the opcode of text
        switch text.count {
        case ..<126: writeInteger(UInt8(text.count))
        case ...0xFFFF: writeMultipleIntegers(UInt8(126), UInt16(text.count))
        default: writeMultipleIntegers(UInt8(127), UInt64(text.count))
        }
        writeBytes(text)
    }
}
