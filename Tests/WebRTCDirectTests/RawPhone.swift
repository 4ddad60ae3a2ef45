import DTLS
import DataChannel
import SansIO
import TestSupport
import Testing
import WebRTCDirect
import Wire

@testable import SCTP

/// A phone by hand: ICE, DTLS and SCTP, whose packets a test may change.
final class RawPhone {
    let rig: Rig
    let address: TransportAddress
    var session: DTLSSession
    var association: SCTPAssociation
    var sessionEvents: [DTLSEvent] = []
    var events: [SCTPEvent] = []
    var texts: [String] = []
    private let username: String
    private let password: String
    private let change: ([UInt8]) -> [UInt8]
    private var wake: Timestamp?

    /// Makes a phone and lets it dial.
    /// - Parameters:
    ///   - rig: with the endpoint.
    ///   - username: both fragments.
    ///   - password: the endpoint's.
    ///   - change: makes of a packet of SCTP what is sent; its checksum need not be right.
    init(
        _ rig: Rig, username: String, password: String = "boxpasswordboxpassword12",
        change: @escaping ([UInt8]) -> [UInt8]
    ) throws {
        self.rig = rig
        self.username = username
        self.password = password
        self.change = change
        address = rig.address(7)
        session = DTLSSession(context: rig.clientContext)
        association = SCTPAssociation(configuration: .ofEndpoint, generator: SharedGenerator())
        rig.give(rig.check(username, password: password, isNominating: true), from: address)
        dtls(.start)
        settle()
        let isSecure = session.isConnected
        try #require(isSecure)
        sctp(.connect)
        settle()
    }

    /// What the box sent comes, and what is sent because of it, until nobody has anything to say.
    func settle() {
        while !rig.stray.isEmpty {
            let (to, bytes) = rig.stray.removeFirst()
            if to == address, (20...63).contains(bytes[0]) { dtls(.datagram(bytes.span.bytes)) }
        }
    }

    func pass(_ duration: Duration) {
        for _ in 0..<Int(duration / .milliseconds(50)) {
            rig.give(rig.check(username, password: password), from: address)
            rig.run(for: .milliseconds(50))
            if let wake, wake <= rig.now { sctp(.wake) }
            settle()
        }
    }

    func open(_ stream: UInt16) {
        var bytes: [UInt8] = []
        DCEPMessage.open(DataChannelParameters(label: "hub")).write(to: &bytes)
        sctp(
            .send(
                bytes.span.bytes, stream: stream, ppid: DCEPMessage.ppid, isUnordered: false, reliability: .reliable
            ))
        settle()
    }

    private func dtls(_ input: borrowing DTLSInput) {
        var output = DTLSOutput()
        _ = session.handle(input, at: rig.now, into: &output)
        sessionEvents += output.events
        for range in output.datagrams { rig.give(Array(output.written[range]), from: address) }
        for range in output.records {
            let packet = Array(output.applicationData[range])
            sctp(.packet(packet.span.bytes))
        }
    }

    func sctp(_ input: SCTPInput) {
        var output = SCTPOutput()
        wake = association.handle(input, at: rig.now, into: &output)
        events += output.events
        for event in output.events {
            if case .message(_, 51, let range, _) = event {
                texts.append(String(decoding: output.messageBytes[range], as: UTF8.self))
            }
        }
        for range in output.packets {
            let packet = withChecksum(change(Array(output.written[range])))
            dtls(.send(packet.span.bytes))
        }
    }

    private func withChecksum(_ packet: [UInt8]) -> [UInt8] {
        var packet = packet
        for place in 8..<12 { packet[place] = 0 }
        let crc = packet.withUnsafeBytes { CRC32c.checksum(ofPacket: $0) }
        withUnsafeBytes(of: crc.littleEndian) { for place in 0..<4 { packet[8 + place] = $0[place] } }
        return packet
    }
}
