/// The echo on WebRTC Direct's channel: what comes goes back byte for byte, as long as it is framed as the crate
/// webrtc-direct 0.2 frames it (`protocol/src/framing.rs`).
///
/// A frame is its length in four bytes, high one first, then so many bytes of LZ4; it comes in pieces of 60 KB, each
/// a message. The echo follows the lengths and passes the pieces on; what is in them is between the client and itself.
public struct DirectEcho: Sendable {
    /// Bytes of a frame, without the length (`MAX_MESSAGE_SIZE`).
    public static let frameLimit: UInt32 = 16 << 20

    /// How much of the length has come, and what it says so far.
    private var lengthBytes = 0
    private var length: UInt32 = 0
    /// Bytes of the present frame that have not come yet.
    private var missing = 0
    /// Frames that have come whole.
    public private(set) var frames = 0

    /// Makes an echo that is at the beginning of a frame.
    public init() {}

    /// Follows the frames through a message.
    /// - Parameter message: what came, whole.
    /// - Returns: false when a length is none that the crate would send: the channel is to be closed.
    public mutating func follow(_ message: RawSpan) -> Bool {
        var offset = 0
        while offset < message.byteCount {
            if missing > 0 {
                let step = min(missing, message.byteCount - offset)
                missing -= step
                offset += step
                if missing == 0 { frames &+= 1 }
                continue
            }
            length = length << 8 | UInt32(message.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
            lengthBytes += 1
            offset += 1
            guard lengthBytes == 4 else { continue }
            guard length > 0, length <= Self.frameLimit else { return false }
            missing = Int(length)
            lengthBytes = 0
            length = 0
        }
        return true
    }
}
