public import Raster
public import SansIO

/// What is known of an e-paper's glass beyond the process that drives it.
///
/// A process that is started again and again must not refresh the glass each time: makers ask for minutes of rest.
public struct GlassMemory: Equatable, Sendable {
    /// `Picture.fingerprint` of what the glass shows; nil: nobody knows.
    public var picture: UInt64?
    /// When the last full refreshes ended, oldest first; no more than may hold back another.
    public var fullRefreshes: [Timestamp]
    /// Partial refreshes since the last full one.
    public var partialRefreshes: Int

    /// Makes a memory.
    public init(picture: UInt64?, fullRefreshes: [Timestamp], partialRefreshes: Int = 0) {
        self.picture = picture
        self.fullRefreshes = fullRefreshes
        self.partialRefreshes = partialRefreshes
    }
}

extension Picture {
    /// A number by which a picture is known again: FNV-1a, of 64 bits, over its size and its planes; 0 for a TFT's.
    public var fingerprint: UInt64 {
        guard case .planes(let dark, let accent) = pixels else { return 0 }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        for number in [format.width, format.height, accent == nil ? 0 : 1] {
            mix(UInt8(truncatingIfNeeded: number))
            mix(UInt8(truncatingIfNeeded: number >> 8))
        }
        for byte in dark { mix(byte) }
        for byte in accent ?? [] { mix(byte) }
        return hash
    }
}
