import Glibc
import QRCode
import Raster
import Screens

struct WritingFailed: Error, CustomStringConvertible {
    var description: String
}

func write(_ bytes: [UInt8], to path: String) throws {
    guard let file = fopen(path, "w") else { throw WritingFailed(description: "\(path) cannot be written") }
    defer { fclose(file) }
    guard fwrite(bytes, 1, bytes.count, file) == bytes.count else {
        throw WritingFailed(description: "\(path) cannot be written")
    }
}

/// All pictures of a screen.
private func pictures(of screen: Screen, _ renderer: ScreenRenderer) throws -> [Picture] {
    let first = try renderer.draw(screen)
    return try [first.picture] + (1..<first.pages).map { try renderer.draw(screen, page: $0).picture }
}

/// A picture for each screen, size and language, and `codes.tsv`: the file, then what its codes say, tabs in between.
func writeEach(into folder: String) throws {
    var codes = ""
    for size in sizes {
        for language in Language.allCases {
            let renderer = ScreenRenderer(format: size.format, language: language)
            for (name, screen) in screens {
                let pictures = try pictures(of: screen, renderer)
                for (page, picture) in pictures.enumerated() {
                    let number = pictures.count > 1 ? "_\(page + 1)" : ""
                    let file = "\(name)_\(size.name)_\(language.rawValue)\(number).png"
                    try write(picture.png(), to: "\(folder)/\(file)")
                    guard case .room(let room) = screen else { continue }
                    let payloads = [room.wifi?.code, room.link].compactMap { $0 }
                    codes += ([file] + (number.isEmpty ? payloads : [payloads[page]])).joined(separator: "\t") + "\n"
                }
            }
        }
    }
    try write(Array(codes.utf8), to: "\(folder)/codes.tsv")
}

/// All pictures in one: a block for each size, a row in it for each language, and in that every screen.
func contactSheet() throws -> [UInt8] {
    let gap = 12
    var rows: [[Picture]] = []
    for size in sizes {
        for language in Language.allCases {
            let renderer = ScreenRenderer(format: size.format, language: language)
            rows.append(try screens.flatMap { _, screen in try pictures(of: screen, renderer) })
        }
    }
    let width = rows.map { $0.reduce(gap) { $0 + $1.format.width + gap } }.max() ?? gap
    let height = rows.reduce(gap) { $0 + ($1.first?.format.height ?? 0) + gap }
    var file = PNGWriter(width: width, height: height, colors: .rgb8)
    let ground: [UInt8] = [0xB8, 0xBE, 0xBB]
    func empty(_ pixels: Int) -> [UInt8] { (0..<pixels).flatMap { _ in ground } }
    for _ in 0..<gap { file.append(empty(width)) }
    for row in rows {
        let lines = row.map { $0.rgb() }
        for y in 0..<(row.first?.format.height ?? 0) {
            var line = empty(gap)
            for (picture, bytes) in zip(row, lines) {
                let start = y * picture.format.width * 3
                line += bytes[start..<start + picture.format.width * 3]
                line += empty(gap)
            }
            line += empty(width - line.count / 3)
            file.append(line)
        }
        for _ in 0..<gap { file.append(empty(width)) }
    }
    return file.finish()
}
