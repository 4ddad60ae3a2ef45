import PeerBroker
import WebRTCDirect
import Wire

extension FuzzTarget {
    /// The echo of WebRTC Direct follows frames that come in pieces of any size: in one piece they must say the same.
    static let echo = FuzzTarget("echo", longest: 1_024) { input in
        var script = FuzzScript(input)
        let sizes = script.run()
        let bytes = script.rest()
        var whole = DirectEcho()
        let goesOn = whole.follow(bytes.span.bytes)
        var parts = DirectEcho()
        var offset = 0
        var number = 0
        while offset < bytes.count {
            let size = number < sizes.count ? Int(sizes[number]) : bytes.count
            number += 1
            let end = min(bytes.count, offset + size)
            if !parts.follow(bytes.span.bytes.extracting(offset..<end)) {
                return try always(!goesOn, "a length is refused only when it comes in pieces")
            }
            offset = end
        }
        try always(goesOn, "a length is refused only when it comes in one piece")
        try always(whole.frames == parts.frames, "\(whole.frames) or \(parts.frames) frames")
        try always(whole.frames <= bytes.count / 5, "more frames than there is room for")
    }

    /// Reads queries and percent-encoded values. What is encoded anew must be read as the same.
    static let percent = FuzzTarget("percent", longest: 256) { input in
        let text = String(decoding: input, as: UTF8.self)
        if queryValue("id", in: text) != nil {
            try always(text.contains("id"), "a parameter that is not there")
        }
        guard let decoded = percentDecoded(text[...]) else {
            return try always(text.utf8.contains(UInt8(ascii: "%")), "a value without a percent sign is refused")
        }
        let digits = Array("0123456789abcdef".utf8)
        let encoded = decoded.utf8.flatMap { [UInt8(ascii: "%"), digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        let again = String(decoding: encoded, as: UTF8.self)
        try always(percentDecoded(again[...]) == decoded, "\(again) is not read as what it was made of")
        try always(queryValue("id", in: "a=b&id=\(again)&id=c") == decoded, "a parameter is not found")
    }

    /// What a page says to be let in: bodies, frames, and frames that are `SESSION` but for their payload.
    static let session = FuzzTarget("session", longest: 1_024) { input in
        try request(input)
        try frame(input)
        try frame(Array(#"{"type":"SESSION","payload":"#.utf8) + input + Array("}".utf8))
    }

    private static func request(_ bytes: [UInt8]) throws {
        guard let request = SessionRequest(parsing: bytes.span.bytes) else { return }
        let length = request.secret.utf8.count + (request.token?.utf8.count ?? 0)
        try always(length <= bytes.count, "a request says more than came")
    }

    private static func frame(_ bytes: [UInt8]) throws {
        guard let found = SessionRequest.payload(of: bytes.span.bytes), let range = found else { return }
        try always(!range.isEmpty && range.upperBound <= bytes.count, "a payload is not where it should be")
        try request(Array(bytes[range]))
    }
}
