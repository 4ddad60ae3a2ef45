/// Why bytes of a station could not be read.
public enum FrameError: Error, Hashable, Sendable {
    /// They end before what must be there.
    case truncated
    /// They are not of the kind that is read.
    case wrongKind
    /// An RSN element is of a version that is not known.
    case unsupportedVersion(UInt16)
    /// A count says something that cannot be.
    case invalidCount
}
