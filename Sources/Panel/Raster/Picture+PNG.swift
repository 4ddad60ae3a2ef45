import QRCode

extension Picture {
    /// The picture as a PNG file.
    public func png() -> [UInt8] {
        let colors: PNGWriter.Colors =
            switch format.depth {
            case .mono: .gray1
            case .accent(let accent): .table2([0xFFFFFF, 0x000000, accent.color.rgb])
            case .rgb565: .rgb8
            }
        var file = PNGWriter(width: format.width, height: format.height, colors: colors)
        let bytesPerRow = Self.bytesPerRow(format)
        for y in 0..<format.height {
            switch pixels {
            case .planes(let dark, nil):
                file.append(dark[y * bytesPerRow..<(y + 1) * bytesPerRow].map { ~$0 })
            case .planes(let dark, let accent?):
                var row = [UInt8](repeating: 0, count: (format.width + 3) / 4)
                for x in 0..<format.width {
                    let (byte, bit) = (y * bytesPerRow + x / 8, 0x80 >> UInt8(x % 8) as UInt8)
                    let index: UInt8 = dark[byte] & bit != 0 ? 1 : accent[byte] & bit != 0 ? 2 : 0
                    row[x / 4] |= index << UInt8(6 - x % 4 * 2)
                }
                file.append(row)
            case .rgb565(let words):
                file.append(
                    words[y * format.width..<(y + 1) * format.width].flatMap {
                        let color = Color(rgb565: $0)
                        return [color.red, color.green, color.blue]
                    })
            }
        }
        return file.finish()
    }

    /// The picture as red, green and blue bytes, row by row from the top left.
    public func rgb() -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(format.width * format.height * 3)
        for y in 0..<format.height {
            for x in 0..<format.width {
                let color = self[x, y]
                result.append(color.red)
                result.append(color.green)
                result.append(color.blue)
            }
        }
        return result
    }

    /// The colour of one pixel.
    /// - Parameters:
    ///   - x: its column, less than the width.
    ///   - y: its row, less than the height.
    public subscript(x: Int, y: Int) -> Color {
        switch pixels {
        case .rgb565(let words): return Color(rgb565: words[y * format.width + x])
        case .planes(let dark, let accent):
            let (byte, bit) = (y * Self.bytesPerRow(format) + x / 8, 0x80 >> UInt8(x % 8) as UInt8)
            if dark[byte] & bit != 0 { return .black }
            guard case .accent(let third) = format.depth, let accent, accent[byte] & bit != 0 else { return .white }
            return third.color
        }
    }
}
