import CFreeType
import CPanelLibraries

/// FreeType itself; it has to outlive every face.
final class FontLibrary {
    let pointer: FT_Library

    init() throws(FontError) {
        if let name = CPanelLibraries_missing() { throw .missingLibrary(String(cString: name)) }
        var pointer: FT_Library?
        guard FT_Init_FreeType(&pointer) == 0, let pointer else { throw .outOfMemory }
        self.pointer = pointer
    }

    deinit { FT_Done_FreeType(pointer) }
}

/// A font file, opened by FreeType.
final class FontFace {
    /// A glyph's picture.
    struct Bitmap {
        /// How far left of its place it begins, and how far above the baseline.
        var left: Int
        var top: Int
        var width: Int
        var height: Int
        /// A byte a pixel, 0 to 255.
        var coverage: [UInt8]
    }

    private let library: FontLibrary
    private let face: FT_Face
    let unitsPerEm: Int
    private var indices: [UInt32: UInt32] = [:]
    private var bitmaps: [UInt64: Bitmap] = [:]
    private var size = 0

    init(_ path: String, _ library: FontLibrary) throws(FontError) {
        var face: FT_Face?
        guard FT_New_Face(library.pointer, path, 0, &face) == 0, let face else { throw .unreadable(path) }
        guard face.pointee.units_per_EM > 0, face.pointee.charmap != nil else {
            FT_Done_Face(face)
            throw .unreadable(path)
        }
        self.library = library
        self.face = face
        unitsPerEm = Int(face.pointee.units_per_EM)
    }

    deinit { FT_Done_Face(face) }

    /// The glyph of a character; 0 if the font lacks it.
    func glyph(_ character: UInt32) -> UInt32 {
        if let known = indices[character] { return known }
        let index = FT_Get_Char_Index(face, FT_ULong(character))
        indices[character] = index
        return index
    }

    /// How far the next glyph is away, in units of which an em has ``unitsPerEm``.
    func units(_ glyph: UInt32) -> Int {
        var value: FT_Fixed = 0
        return FT_Get_Advance(face, glyph, FT_Int32(FT_LOAD_NO_SCALE), &value) == 0 ? Int(value) : 0
    }

    /// Draws a glyph.
    /// - Parameters:
    ///   - glyph: its index.
    ///   - size: pixels of an em.
    ///   - shades: whether its edges may be grey.
    func bitmap(_ glyph: UInt32, size: Int, shades: Bool) -> Bitmap? {
        let key = UInt64(glyph) << 32 | UInt64(size) << 1 | (shades ? 1 : 0)
        if let known = bitmaps[key] { return known }
        if size != self.size {
            guard FT_Set_Pixel_Sizes(face, 0, FT_UInt(size)) == 0 else { return nil }
            self.size = size
        }
        // FT_LOAD_TARGET_(x) of the header, a macro that Swift does not see: the render mode from bit 16 on.
        let mode = shades ? FT_RENDER_MODE_NORMAL : FT_RENDER_MODE_MONO
        let flags = Int32(FT_LOAD_RENDER) | Int32(mode.rawValue & 15) << 16
        guard FT_Load_Glyph(face, glyph, flags) == 0, let slot = face.pointee.glyph?.pointee else { return nil }
        let source = slot.bitmap
        let (width, height, pitch) = (Int(source.width), Int(source.rows), Int(source.pitch))
        var coverage = [UInt8](repeating: 0, count: width * height)
        if let buffer = source.buffer {
            for y in 0..<height {
                let row = buffer + y * pitch
                for x in 0..<width {
                    coverage[y * width + x] = shades ? row[x] : row[x / 8] & 0x80 >> UInt8(x % 8) != 0 ? 255 : 0
                }
            }
        }
        let result = Bitmap(
            left: Int(slot.bitmap_left), top: Int(slot.bitmap_top), width: width, height: height, coverage: coverage)
        bitmaps[key] = result
        return result
    }
}
