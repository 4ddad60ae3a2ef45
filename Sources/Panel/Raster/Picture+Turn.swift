extension Picture {
    /// The same picture turned clockwise.
    public func turned(_ turn: Turn) -> Picture {
        guard turn != .none else { return self }
        let target = format.turned(turn)
        let (width, height) = (format.width, format.height)
        /// Where the pixel at the new column and row comes from.
        func source(_ x: Int, _ y: Int) -> (x: Int, y: Int) {
            switch turn {
            case .none: (x, y)
            case .quarter: (y, height - 1 - x)
            case .half: (width - 1 - x, height - 1 - y)
            case .threeQuarters: (width - 1 - y, x)
            }
        }
        func turned(_ plane: [UInt8]) -> [UInt8] {
            let (oldRow, newRow) = (Self.bytesPerRow(format), Self.bytesPerRow(target))
            var result = [UInt8](repeating: 0, count: newRow * target.height)
            for y in 0..<target.height {
                for x in 0..<target.width {
                    let old = source(x, y)
                    if plane[old.y * oldRow + old.x / 8] & 0x80 >> UInt8(old.x % 8) != 0 {
                        result[y * newRow + x / 8] |= 0x80 >> UInt8(x % 8)
                    }
                }
            }
            return result
        }
        switch pixels {
        case .planes(let dark, let accent):
            return Picture(format: target, pixels: .planes(dark: turned(dark), accent: accent.map(turned)))
        case .rgb565(let words):
            var result = [UInt16](repeating: 0, count: words.count)
            for y in 0..<target.height {
                for x in 0..<target.width {
                    let old = source(x, y)
                    result[y * target.width + x] = words[old.y * width + old.x]
                }
            }
            return Picture(format: target, pixels: .rgb565(result))
        }
    }
}
