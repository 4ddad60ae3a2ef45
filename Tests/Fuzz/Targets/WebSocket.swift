import WebSocket
import Wire

extension FuzzTarget {
    /// Reads frames that come in pieces of any size: in other pieces they must say the same.
    static let webSocket = FuzzTarget("websocket", longest: 512) { input in
        var script = FuzzScript(input)
        let sizes = script.run()
        let bytes = script.rest()
        let whole = try events(of: bytes, inPiecesOf: [])
        let parts = try events(of: bytes, inPiecesOf: sizes.map { Int($0) })
        try always(whole == parts, "what is read depends on how it came: \(whole) or \(parts)")
    }

    private static let longest = 1_024

    private static func events(of bytes: [UInt8], inPiecesOf sizes: [Int]) throws -> [String] {
        var reader = WebSocketReader(maximumMessageBytes: longest)
        var output = WebSocketEvents()
        var events: [String] = []
        var offset = 0
        var piece = 0
        while offset < bytes.count {
            let size = piece < sizes.count ? sizes[piece] : bytes.count
            piece += 1
            let end = min(bytes.count, offset + size)
            reader.read(bytes.span.bytes.extracting(offset..<end), into: &output)
            offset = end
            for event in output.events {
                func content(_ range: Range<Int>) throws -> [UInt8] {
                    try always(range.count <= longest, "a message is longer than it may be")
                    let content = output.bytes(range).copied
                    try always(content.count == range.count, "a message is not where it should be")
                    return content
                }
                switch event {
                case .text(let range):
                    let text = try content(range)
                    try always(String(validating: text, as: UTF8.self) != nil, "a text that is not UTF-8")
                    events.append("text \(text)")
                case .binary(let range): events.append("binary \(try content(range))")
                case .ping(let range): events.append("ping \(try content(range))")
                case .pong(let range): events.append("pong \(try content(range))")
                case .close(let code, let range):
                    events.append("close \(String(describing: code)) \(try content(range))")
                case .failed(let failure): events.append("failed \(failure)")
                }
            }
            output.removeAll()
        }
        return events
    }
}
