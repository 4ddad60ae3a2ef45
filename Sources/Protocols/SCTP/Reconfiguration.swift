import Wire

/// Parameters of RE-CONFIG chunks (RFC 6525 section 4).
enum ReconfigurationParameter: UInt16 {
    case outgoingReset = 13
    case incomingReset = 14
    case tsnReset = 15
    case response = 16
    case addOutgoingStreams = 17
    case addIncomingStreams = 18
}

/// Results of RE-CONFIG requests (RFC 6525 section 4.4).
enum ReconfigurationResult: UInt32 {
    case nothingToDo = 0
    case performed = 1
    case denied = 2
    case wrongStream = 3
    case alreadyInProgress = 4
    case badSequenceNumber = 5
    case inProgress = 6
}

/// An outgoing SSN reset request (RFC 6525 section 4.1).
struct OutgoingResetRequest: ~Escapable {
    static let headerSize = 16

    let sequence: UInt32
    let responseSequence: UInt32
    /// The last TSN the sender gave out before; the streams are reset when all up to it has come.
    let lastTSN: TSN
    /// The streams, two octets each; none means all.
    let streams: RawSpan

    /// Reads a parameter.
    /// - Returns: nil when it is too short, or ends within a stream.
    @_lifetime(copy parameter)
    init?(_ parameter: Parameter) {
        var reader = ByteReader(parameter.value)
        guard let sequence = reader.readUInt32(), let response = reader.readUInt32(), let tsn = reader.readUInt32(),
            reader.remaining & 1 == 0, let streams = reader.readBytes(reader.remaining)
        else { return nil }
        self.sequence = sequence
        responseSequence = response
        lastTSN = TSN(tsn)
        self.streams = streams
    }
}

extension RawSpan {
    /// The numbers of streams, two octets each.
    var streamNumbers: [UInt16] {
        var numbers: [UInt16] = []
        var reader = ByteReader(self)
        while let number = reader.readUInt16() { numbers.append(number) }
        return numbers
    }
}
