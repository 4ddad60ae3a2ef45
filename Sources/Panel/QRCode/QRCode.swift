/// A QR code: the square of dark and light modules that stands for a text (ISO/IEC 18004, model 2).
///
/// The symbol is the smallest one that holds the text, since large modules scan best on a small panel; the
/// error correction is then raised as far as it goes without making the symbol larger.
public struct QRCode: Sendable, Equatable {
    /// How much of a symbol may be unreadable and still be restored (ISO/IEC 18004, section 7.5.1).
    public enum ErrorCorrection: Int, Sendable, CaseIterable, Comparable {
        /// About 7 percent.
        case low
        /// About 15 percent.
        case medium
        /// About 25 percent.
        case quartile
        /// About 30 percent.
        case high

        /// Orders by how much can be restored.
        public static func < (lhs: ErrorCorrection, rhs: ErrorCorrection) -> Bool { lhs.rawValue < rhs.rawValue }
    }

    /// The light border that a reader needs around the symbol.
    public enum QuietZone: Int, Sendable {
        /// Four modules, as the standard asks (ISO/IEC 18004, section 6.3.8).
        case standard = 4
        /// Two modules, for a screen where every pixel counts; readers of today take it.
        case narrow = 2
    }

    /// Why a text has no QR code. All of them are the caller's: the text must change.
    public enum EncodingError: Error, Equatable, CustomStringConvertible {
        /// There is nothing to encode.
        case emptyText
        /// The text holds U+0000, which readers take for its end.
        case containsNull
        /// The largest symbol does not hold the text with the error correction asked for.
        case textTooLong(bytes: Int)
        /// libqrencode, or another library that the panel draws with, is not there.
        case missingLibrary(String)
        /// The system has no memory left.
        case outOfMemory

        /// The reason in words.
        public var description: String {
            switch self {
            case .emptyText: "an empty text has no QR code"
            case .containsNull: "a text with a null character has no QR code"
            case .textTooLong(let bytes): "a text of \(bytes) bytes is too long for a QR code"
            case .missingLibrary(let name):
                "there is no QR code without \(name): install Debian's packages libfreetype6, libfribidi0 and libqrencode4"
            case .outOfMemory: "no memory for a QR code"
            }
        }
    }

    /// Modules on each side: 21 for version 1 to 177 for version 40.
    public let size: Int
    /// The symbol's version, 1 to 40: the size class (ISO/IEC 18004, section 6.3.1).
    public let version: Int
    /// The error correction the symbol has; at least the one asked for.
    public let errorCorrection: ErrorCorrection
    private let modules: [Bool]

    /// Encodes `text`: in numeric or alphanumeric mode where its characters allow, else as UTF-8 bytes.
    ///
    /// Bytes carry no ECI designator: every reader in use takes UTF-8 by itself, and some fail on the designator.
    /// - Parameters:
    ///   - text: the text, 1 to 2,953 bytes (more if it is digits or capitals).
    ///   - minimum: the least error correction to accept.
    /// - Throws: ``EncodingError`` when no symbol holds the text.
    public init(text: String, minimumErrorCorrection minimum: ErrorCorrection = .low) throws(EncodingError) {
        guard !text.isEmpty else { throw .emptyText }
        guard !text.utf8.contains(0) else { throw .containsNull }
        var best = try EncodedSymbol(text: text, version: 0, errorCorrection: minimum)
        var level = minimum
        let version = best.version
        for higher in ErrorCorrection.allCases where higher > minimum {
            // The version passed is the least one: the library takes a larger one when the text does not fit.
            guard let symbol = try? EncodedSymbol(text: text, version: version, errorCorrection: higher),
                symbol.version == version
            else { break }
            best = symbol
            level = higher
        }
        size = best.size
        self.version = version
        errorCorrection = level
        modules = best.modules()
    }

    /// Whether the module at column `x` and row `y`, from the top left, is dark.
    ///
    /// Everything outside the symbol is light, so a renderer gets the quiet zone by asking for it.
    public func isDark(_ x: Int, _ y: Int) -> Bool {
        guard x >= 0, y >= 0, x < size, y < size else { return false }
        return modules[y * size + x]
    }
}
