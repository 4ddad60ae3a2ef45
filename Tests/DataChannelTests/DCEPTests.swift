import DataChannel
import SCTP
import TestSupport
import Testing

@Suite("DCEP messages")
struct DCEPTests {
    private func bytes(_ message: DCEPMessage) -> [UInt8] {
        var bytes: [UInt8] = []
        message.write(to: &bytes)
        return bytes
    }

    private func read(_ bytes: [UInt8], textLimit: Int = .max) throws(DCEPError) -> DCEPMessage {
        try DCEPMessage(bytes.span.bytes, textLimit: textLimit)
    }

    @Test("OPEN has the form of RFC 8832 section 5.1")
    func form() {
        let open = DCEPMessage.open(
            DataChannelParameters(
                label: "hub", subprotocol: "p", isOrdered: false, reliability: .retransmits(3), priority: 512))
        #expect(
            bytes(open) == [
                0x03, 0x81, 0x02, 0x00, 0x00, 0x00, 0x00, 0x03, 0x00, 0x03, 0x00, 0x01, 0x68, 0x75, 0x62, 0x70,
            ])
        #expect(bytes(.acknowledgement) == [0x02])
    }

    @Test("Every channel type is read as it was written")
    func roundTrip() throws {
        let reliabilities: [SCTPReliability] = [
            .reliable, .retransmits(0), .retransmits(.max), .lifetime(.zero), .lifetime(.milliseconds(4_294_967_295)),
        ]
        var types: Set<UInt8> = []
        for reliability in reliabilities {
            for isOrdered in [true, false] {
                for label in ["", "hub", "Gr\u{fc}\u{df}e \u{1F600}", String(repeating: "l", count: 65_535)] {
                    let message = DCEPMessage.open(
                        DataChannelParameters(
                            label: label, subprotocol: String(label.reversed()), isOrdered: isOrdered,
                            reliability: reliability, priority: 128))
                    let written = bytes(message)
                    types.insert(written[1])
                    #expect(try read(written) == message)
                }
            }
        }
        #expect(types == [0x00, 0x01, 0x02, 0x80, 0x81, 0x82])
        #expect(try read([0x02]) == .acknowledgement)
    }

    @Test("What is cut short, too long, unknown or no text is refused")
    func refusals() {
        let open = bytes(.open(DataChannelParameters(label: "label", subprotocol: "protocol")))
        for count in 0..<open.count {
            #expect(throws: DCEPError.malformed, "cut at \(count)") { try read(Array(open[..<count])) }
        }
        #expect(throws: DCEPError.malformed) { try read(open + [0]) }
        #expect(throws: DCEPError.malformed) { try read([0x01]) }
        var type = open
        type[1] = 0x03
        #expect(throws: DCEPError.unknownChannelType) { try read(type) }
        var text = open
        text[12] = 0xFF
        #expect(throws: DCEPError.malformed) { try read(text) }
        #expect(throws: DCEPError.textTooLong) { try read(open, textLimit: 7) }
        #expect(throws: Never.self) { try read(open, textLimit: 8) }
    }

    @Test("Random bytes never trap; what is read is written as it was, but for counts SCTP can't hold")
    func random() {
        var generator = SeededGenerator(seed: 5)
        for round in 0..<20_000 {
            var bytes = (0..<Int.random(in: 0...24, using: &generator)).map { _ in
                UInt8.random(in: 0...8, using: &generator)
            }
            if round % 2 == 0, !bytes.isEmpty { bytes[0] = 0x03 }
            do throws(DCEPError) {
                let message = try read(bytes)
                #expect(try read(self.bytes(message)) == message)
            } catch {}
        }
    }
}
