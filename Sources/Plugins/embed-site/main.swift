// embed-site ROOT OUTPUT FILE…: writes Swift source that holds each FILE under its path relative to ROOT.
//
// The contents become string literals: they compile in no time, live in the executable's read-only pages and
// cost no heap. A file that is not UTF-8 is written with one Unicode scalar for each byte.

import Foundation

let arguments = CommandLine.arguments
guard arguments.count >= 3 else {
    FileHandle.standardError.write(Data("usage: embed-site ROOT OUTPUT FILE...\n".utf8))
    exit(64)
}
let root = arguments[1] + "/"

func literal(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var text = "\""
    for scalar in scalars {
        switch scalar {
        case "\\": text += "\\\\"
        case "\"": text += "\\\""
        case "\n": text += "\\n"
        case "\r": text += "\\r"
        case "\t": text += "\\t"
        case _ where scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value):
            text += "\\u{\(String(scalar.value, radix: 16))}"
        default: text.unicodeScalars.append(scalar)
        }
    }
    return text + "\""
}

var source = """
    // Made by embed-site from the files of Site; do not edit.

    extension Site {
        static let embedded: [(path: StaticString, isText: Bool, content: StaticString)] = [

    """
for file in arguments.dropFirst(3) {
    let data = try Data(contentsOf: URL(fileURLWithPath: file))
    let path = literal(file.dropFirst(root.count).unicodeScalars)
    if let text = String(data: data, encoding: .utf8) {
        source += "        (\(path), true, \(literal(text.unicodeScalars))),\n"
    } else {
        source += "        (\(path), false, \(literal(data.map { Unicode.Scalar($0) }))),\n"
    }
}
source += "    ]\n}\n"
try source.write(toFile: arguments[2], atomically: true, encoding: .utf8)
