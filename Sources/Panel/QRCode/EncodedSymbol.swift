import CPanelLibraries
import CQREncode
import Glibc

/// A symbol made by libqrencode, freed with this value.
struct EncodedSymbol: ~Copyable {
    private let code: UnsafeMutablePointer<QRcode>

    /// Encodes `text` in a symbol of at least `version`; 0 leaves the choice to the library.
    init(text: String, version: Int, errorCorrection: QRCode.ErrorCorrection) throws(QRCode.EncodingError) {
        if let name = CPanelLibraries_missing() { throw .missingLibrary(String(cString: name)) }
        let level =
            switch errorCorrection {
            case .low: QR_ECLEVEL_L
            case .medium: QR_ECLEVEL_M
            case .quartile: QR_ECLEVEL_Q
            case .high: QR_ECLEVEL_H
            }
        // The hint QR_MODE_8 keeps the library from reading UTF-8 as Shift-JIS; it still splits the text into
        // numeric, alphanumeric and byte segments where that is shorter.
        guard let code = QRcode_encodeString(text, Int32(version), level, QR_MODE_8, 1) else {
            throw errno == ENOMEM ? .outOfMemory : .textTooLong(bytes: text.utf8.count)
        }
        self.code = code
    }

    var size: Int { Int(code.pointee.width) }
    var version: Int { Int(code.pointee.version) }

    /// The modules, row by row; the lowest bit of each byte is the colour.
    func modules() -> [Bool] {
        guard let data = code.pointee.data else { return [] }
        return UnsafeBufferPointer(start: data, count: size * size).map { $0 & 1 == 1 }
    }

    deinit { QRcode_free(code) }
}
