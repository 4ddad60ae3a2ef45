import Wire

@testable import Netlink

/// A message that can be kept.
struct ReadMessage: Equatable {
    var header: NetlinkHeader
    var payload: [UInt8]
}

/// An attribute that can be kept.
struct ReadAttribute: Equatable {
    var type: UInt16
    var payload: [UInt8]
}

/// Octets of integers in the machine's order.
func host<each Value: FixedWidthInteger & BitwiseCopyable>(_ value: repeat each Value) -> [UInt8] {
    var bytes: [UInt8] = []
    for value in repeat each value { withUnsafeBytes(of: value) { bytes += $0 } }
    return bytes
}

/// All messages of a datagram, and whether it could be read to its end.
func messages(in bytes: [UInt8]) -> (list: [ReadMessage], isMalformed: Bool) {
    var reader = NetlinkMessageReader(bytes.span.bytes)
    var list: [ReadMessage] = []
    while let message = reader.next() {
        list.append(ReadMessage(header: message.header, payload: message.payload.copied))
    }
    return (list, reader.isMalformed)
}

/// All attributes, and whether they could be read to their end.
func attributes(in bytes: [UInt8]) -> (list: [ReadAttribute], isMalformed: Bool) {
    var reader = NetlinkAttributes(bytes.span.bytes)
    var list: [ReadAttribute] = []
    while let attribute = reader.next() {
        list.append(ReadAttribute(type: attribute.type, payload: attribute.bytes))
    }
    return (list, reader.isMalformed)
}

/// The first message of a datagram as an event.
func routeEvent(in bytes: [UInt8]) -> RouteEvent? {
    var reader = NetlinkMessageReader(bytes.span.bytes)
    guard let message = reader.next() else { return nil }
    return RouteEvent(message)
}
