import CFriBidi

/// A text that was analysed: which glyphs it has, where it may be broken, and which parts run from right to left.
public struct Paragraph {
    /// What it says.
    public let string: String
    /// The strength of its letters.
    public let weight: Font.Weight
    /// Whether its lines begin at the right.
    public let isRightToLeft: Bool
    /// Whether it is a name or an address: such is broken behind signs and, where it must be, between any two letters.
    public let isName: Bool

    /// In the order in which it is read.
    let characters: [UInt32]
    /// One for each character; 0 where nothing is seen.
    let glyphs: [UInt32]
    /// How far each glyph goes on, in the font's units.
    let units: [Int]
    private let unitsPerEm: Int
    private let types: [FriBidiCharType]
    private let levels: [FriBidiLevel]

    /// Whether the font lacks a sign of it.
    public var hasReplacements: Bool { characters.contains(Self.replacement) }

    var count: Int { characters.count }

    func isSpace(_ index: Int) -> Bool { characters[index] == 0x20 }

    /// Whether a line may end behind a character that is no space.
    func mayBreak(after index: Int) -> Bool {
        if characters[index] == Self.replacement { return true }
        guard isName else { return false }
        let next = index + 1 < count ? characters[index + 1] : 0x20
        switch characters[index] {
        case 0x2D, 0x2F, 0x5F: return next != characters[index] && next != 0x20
        default: return false
        }
    }

    /// Stands for what the font lacks.
    static let replacement: UInt32 = 0xFFFD

    init(
        _ string: String, _ weight: Font.Weight, rightToLeft: Bool, isName: Bool, face: FontFace
    ) {
        self.string = string
        self.weight = weight
        self.isName = isName
        isRightToLeft = rightToLeft
        var characters = Self.cleaned(string, face)
        var types = [FriBidiCharType](repeating: FriBidiCharType(0), count: characters.count)
        var levels = [FriBidiLevel](repeating: rightToLeft ? 1 : 0, count: characters.count)
        let plain = characters
        if !characters.isEmpty {
            let count = FriBidiStrIndex(characters.count)
            var brackets = [FriBidiBracketType](repeating: 0, count: characters.count)
            var joining = [FriBidiArabicProp](repeating: 0, count: characters.count)
            var base = Self.direction(rightToLeft)
            fribidi_get_bidi_types(characters, count, &types)
            fribidi_get_bracket_types(characters, count, types, &brackets)
            // 0 means no memory: then the levels are as they were, all of the paragraph's own direction.
            if fribidi_get_par_embedding_levels_ex(types, brackets, count, &base, &levels) != 0 {
                // Unicode Bidirectional Algorithm, rules L3 and L4: mirrored brackets, and joined Arabic letters.
                fribidi_get_joining_types(characters, count, &joining)
                fribidi_join_arabic(types, count, levels, &joining)
                fribidi_shape(
                    FriBidiFlags(FRIBIDI_FLAG_SHAPE_MIRRORING | FRIBIDI_FLAGS_ARABIC), levels, count, &joining,
                    &characters)
            }
        }
        self.characters = characters
        self.types = types
        self.levels = levels
        let glyphs = zip(characters, plain).map { shaped, plain -> UInt32 in
            if Self.isInvisible(shaped) { return 0 }
            for candidate in [shaped, plain, Self.replacement, 0x3F] {
                let glyph = face.glyph(candidate)
                if glyph != 0 { return glyph }
            }
            return 0
        }
        self.glyphs = glyphs
        units = glyphs.map { $0 == 0 ? 0 : face.units($0) }
        unitsPerEm = face.unitsPerEm
    }

    /// How far a glyph goes on, in pixels: the design's measure, rounded, so that lines are measured at any size without
    /// drawing them.
    func advance(_ index: Int, size: Int) -> Int { (units[index] * size + unitsPerEm / 2) / unitsPerEm }

    /// The places of a line's characters from the left to the right, without those that are not seen.
    func visualOrder(_ line: Range<Int>) -> [Int] {
        var levels = levels
        var order = (0..<count).map { FriBidiStrIndex($0) }
        guard !line.isEmpty,
            fribidi_reorder_line(
                FriBidiFlags(FRIBIDI_FLAG_REORDER_NSM), types, FriBidiStrIndex(line.count),
                FriBidiStrIndex(line.lowerBound), Self.direction(isRightToLeft), &levels, nil, &order) != 0
        else { return [] }
        return order[line].map { Int($0) }.filter { glyphs[$0] != 0 }
    }

    /// The characters that a panel can show: what the font lacks is replaced, once for what a reader sees as one sign.
    private static func cleaned(_ string: String, _ face: FontFace) -> [UInt32] {
        var result: [UInt32] = []
        for character in string {
            for (place, scalar) in character.unicodeScalars.enumerated() {
                let value = scalar.value
                if value < 0x20 || (0x7F...0x9F).contains(value) || value == 0x2028 || value == 0x2029 {
                    // A line break is for us to make.
                    result.append(replacement)
                } else if isIsolate(value) || face.glyph(value) != 0 && !isInvisible(value) {
                    result.append(value)
                } else if place == 0, !isInvisible(value) {
                    result.append(replacement)
                }
            }
        }
        return result
    }

    /// Left-to-right mark to pop directional isolate: what ``isolated(_:)`` and our own texts order lines with.
    private static func isIsolate(_ value: UInt32) -> Bool {
        (0x2066...0x2069).contains(value) || value == 0x200E || value == 0x200F
    }

    /// Unicode's property Default_Ignorable_Code_Point, as far as names have it.
    private static func isInvisible(_ value: UInt32) -> Bool {
        switch value {
        case 0xAD, 0x34F, 0x61C, 0x180B...0x180F, 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x206F, 0xFE00...0xFE0F,
            0xFEFF, 0xE0000...0xE0FFF:
            true
        default: false
        }
    }

    private static func direction(_ rightToLeft: Bool) -> FriBidiParType {
        rightToLeft ? FriBidiParType(FRIBIDI_PAR_RTL.rawValue) : FriBidiParType(FRIBIDI_PAR_LTR.rawValue)
    }

    /// A name or number within a sentence, which keeps its own order of letters and does not change that around it
    /// (Unicode Bidirectional Algorithm, section 2.4.2): FSI, the name without signs of that kind, PDI.
    public static func isolated(_ name: String) -> String {
        var result = "\u{2068}"
        for scalar in name.unicodeScalars where !isIsolate(scalar.value) && !(0x202A...0x202E).contains(scalar.value) {
            result.unicodeScalars.append(scalar)
        }
        return result + "\u{2069}"
    }
}
