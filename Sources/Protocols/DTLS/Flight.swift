import Wire

/// The messages that one side sends before it waits for the other (RFC 6347 section 4.2.4), as records without numbers:
/// each transmission gives them new ones, because receivers drop numbers that they have seen.
struct Flight {
    struct Record {
        var type: UInt8
        var version: UInt16
        var isProtected: Bool
        var content: Range<Int>
    }

    private(set) var bytes: [UInt8] = []
    private(set) var records: [Record] = []

    var isEmpty: Bool { records.isEmpty }

    /// Whether the peer answers it, rather than that it tells of a failure.
    var awaitsAnswer: Bool { records.contains { $0.type == ContentType.handshake } }

    /// Whether a datagram of OpenSSL's holds a protected record.
    static func isProtected(_ datagram: [UInt8]) -> Bool {
        var reader = ByteReader(datagram.span.bytes)
        while let header = RecordHeader(&reader), reader.skip(header.length) {
            if header.epoch > 0 { return true }
        }
        return false
    }

    /// Takes in a datagram of OpenSSL's.
    /// - Parameter opener: for its protected records.
    mutating func append(_ datagram: RawSpan, opener: borrowing RecordCipher?) {
        var reader = ByteReader(datagram)
        while let header = RecordHeader(&reader), let body = reader.readBytes(header.length) {
            let start = bytes.count
            if header.epoch == 0 {
                body.withUnsafeBytes { bytes.append(contentsOf: $0) }
            } else {
                switch opener {
                case .some(let opener): guard opener.open(header, body, into: &bytes) else { continue }
                case .none: continue
                }
            }
            records.append(
                Record(
                    type: header.type, version: header.version, isProtected: header.epoch > 0,
                    content: start..<bytes.count))
        }
    }

    /// Sends the flight in as few datagrams as hold it. OpenSSL's own would exceed the MTU by what protection adds.
    /// - Parameters:
    ///   - mtu: the most octets of a datagram.
    ///   - nextNumber: the next record number of epoch 0.
    ///   - protection: for the records of epoch 1.
    func send(mtu: Int, nextNumber: inout UInt64, _ protection: inout Protection?, into output: inout DTLSOutput) {
        var start = output.written.count
        for record in records {
            let overhead = record.isProtected ? protection?.overhead ?? 0 : RecordHeader.size
            if output.written.count - start + overhead + record.content.count > mtu {
                output.endDatagram(since: &start)
            }
            if record.isProtected {
                _ = bytes.withUnsafeBytes { bytes in
                    protection?.seal(
                        type: record.type, UnsafeRawBufferPointer(rebasing: bytes[record.content]),
                        into: &output.written)
                }
                continue
            }
            let head = output.written.count
            output.written.append(contentsOf: repeatElement(0, count: RecordHeader.size))
            output.written.withUnsafeMutableBytes { buffer in
                RecordHeader(
                    type: record.type, version: record.version, number: nextNumber, length: record.content.count
                ).write(to: UnsafeMutableRawBufferPointer(rebasing: buffer[head...]))
            }
            nextNumber += 1
            output.written.append(contentsOf: bytes[record.content])
        }
        output.endDatagram(since: &start)
    }
}

extension DTLSOutput {
    /// Makes a datagram of what was written since `start`, unless nothing was.
    mutating func endDatagram(since start: inout Int) {
        if written.count > start { datagrams.append(start..<written.count) }
        start = written.count
    }
}
