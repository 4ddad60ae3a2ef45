import DataChannel
import SCTP

extension FuzzTarget {
    /// DCEP's messages, and a table of channels that gets them and anything else.
    static let dcep = FuzzTarget("dcep", longest: 512) { input in
        try parse(input)
        var script = FuzzScript(input)
        var limits = DataChannelLimits()
        limits.channels = 4
        limits.textBytes = 64
        var table = DataChannelTable(parity: script.byte() & 1 == 0 ? .even : .odd, limits: limits)
        var output = DataChannelOutput()
        var isOpen: Set<UInt16> = []
        while !script.isAtEnd {
            output.removeAll()
            feed()
            let stream = UInt16(script.number(below: 8))
            switch script.number(below: 12) {
            case 0...3:
                let bytes = script.run()
                let ppid = UInt32(50 + script.number(below: 8))
                table.handle(.message(bytes.span.bytes, stream: stream, ppid: ppid), into: &output)
            case 4, 5:
                var open: [UInt8] = []
                DCEPMessage.open(parameters(from: &script)).write(to: &open)
                table.handle(.message(open.span.bytes, stream: stream, ppid: DCEPMessage.ppid), into: &output)
            case 6:
                let streams = script.byte() == 0 ? [] : [stream]
                table.handle(.streamsReset(streams), into: &output)
            case 7: table.handle(.outgoingReset([stream]), into: &output)
            case 8: table.handle(.open(parameters(from: &script)), into: &output)
            case 9: table.handle(.negotiate(stream: stream, parameters(from: &script)), into: &output)
            case 10: table.handle(.close(stream: stream), into: &output)
            default:
                table.handle(.restarted, into: &output)
            }
            try always(table.count <= limits.channels, "more channels than the limit")
            for event in output.events {
                switch event {
                case .send(_, let range):
                    try always(range.upperBound <= output.written.count, "sends what it has not written")
                    let bytes = Array(output.written[range])
                    _ = try DCEPMessage(bytes.span.bytes)
                case .opened(let stream, let parameters, let isIncoming):
                    try always(isOpen.insert(stream).inserted, "channel \(stream) is opened twice")
                    // What is not UTF-8 becomes U+FFFD, which has three bytes.
                    try always(
                        !isIncoming || parameters.label.utf8.count <= 3 * limits.textBytes,
                        "a label is longer than it may be")
                case .message(let stream, _, _):
                    try always(isOpen.contains(stream), "a message on a channel that is not open")
                case .closed(let stream): isOpen.remove(stream)
                case .reset, .opening, .refused: break
                }
            }
        }
    }

    private static func parse(_ input: [UInt8]) throws {
        let message: DCEPMessage
        do { message = try DCEPMessage(input.span.bytes) } catch { return }
        var written: [UInt8] = []
        message.write(to: &written)
        try always(try DCEPMessage(written.span.bytes) == message, "\(message) is another once it is written")
    }

    private static func parameters(from script: inout FuzzScript) -> DataChannelParameters {
        let form = script.byte()
        let number = UInt16(form >> 3)
        return DataChannelParameters(
            label: String(decoding: script.run(), as: UTF8.self), isOrdered: form & 1 == 0,
            reliability: form & 2 == 0
                ? .reliable : form & 4 == 0 ? .retransmits(number) : .lifetime(.milliseconds(Int(number))))
    }
}
