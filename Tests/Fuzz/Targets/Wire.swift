import Wire

extension FuzzTarget {
    /// Reads integers and runs of bytes in any order, and addresses from any text.
    static let wire = FuzzTarget("wire") { input in
        var script = FuzzScript(input)
        let text = String(decoding: script.run(), as: UTF8.self)
        if let address = IPAddress(ipv4: text) {
            try always(address.description == text, "\(text) is read as \(address)")
        }
        let network = IPNetwork(.v4(script.uint32()), prefixLength: Int(Int8(bitPattern: script.byte())))
        try always(network.contains(network.base), "\(network) does not contain its own base")

        let operations = script.run()
        let bytes = script.rest()
        var reader = ByteReader(bytes.span.bytes)
        var writer = ByteWriter()
        for operation in operations {
            let before = reader.offset
            switch operation % 8 {
            case 0: if let value = reader.readUInt8() { writer.write(value) }
            case 1: if let value = reader.readUInt16() { writer.write(value) }
            case 2: if let value = reader.readUInt32() { writer.write(value) }
            case 3: if let value = reader.readUInt64() { writer.write(value) }
            case 4: if let run = reader.readBytes(Int(operation) - 100) { writer.write(run) }
            case 5:
                let isSkipped = reader.skip(Int(operation) - 100)
                if isSkipped { writer.write(bytes: bytes[before..<reader.offset]) }
            case 6: if reader.readBytes(.max) != nil { throw FuzzFinding("there cannot be so many bytes") }
            default: if reader.skip(.min) { throw FuzzFinding("there is no way back") }
            }
            try always(reader.offset >= before, "the reader went back")
            try always(reader.offset + reader.remaining == bytes.count, "the reader lost count")
        }
        try always(writer.bytes.elementsEqual(bytes[..<reader.offset]), "what was read is not what was there")
    }
}
