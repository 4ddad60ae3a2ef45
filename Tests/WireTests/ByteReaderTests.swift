import Testing
import Wire

@Suite struct ByteReaderTests {
    @Test func readsNetworkOrder() {
        let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xAA, 0xBB]
        var reader = ByteReader(bytes.span.bytes)
        let value1 = reader.readUInt8()
        #expect(value1 == 1)
        let value2 = reader.readUInt16()
        #expect(value2 == 0x0203)
        let value3 = reader.readUInt32()
        #expect(value3 == 0x0405_0607)
        let value4 = reader.readUInt64()
        #expect(value4 == 0x0809_0A0B_0C0D_0E0F)
        #expect(reader.offset == 15)
        let rest = reader.readBytes(2)
        #expect(rest?.copied == [0xAA, 0xBB])
        #expect(reader.remaining == 0)
    }

    @Test func aReadThatFindsTooLittleMovesNothing() {
        let bytes: [UInt8] = [1, 2, 3]
        var reader = ByteReader(bytes.span.bytes)
        let value5 = reader.readUInt32()
        #expect(value5 == nil)
        let value6 = reader.readUInt64()
        #expect(value6 == nil)
        let value7 = reader.readBytes(4)
        #expect(value7?.byteCount == nil)
        let value8 = reader.readBytes(-1)
        #expect(value8?.byteCount == nil)
        let value9 = reader.readBytes(.max)
        #expect(value9?.byteCount == nil)
        let value10 = reader.skip(4)
        #expect(!value10)
        let value11 = reader.skip(-1)
        #expect(!value11)
        #expect(reader.offset == 0)
        let value12 = reader.skip(2)
        #expect(value12)
        let value13 = reader.readUInt16()
        #expect(value13 == nil)
        let value14 = reader.readUInt8()
        #expect(value14 == 3)
        let value15 = reader.readUInt8()
        #expect(value15 == nil)
        let value16 = reader.readBytes(0)
        #expect(value16?.byteCount == 0)
    }

    @Test func readsNothingFromNothing() {
        let bytes: [UInt8] = []
        var reader = ByteReader(bytes.span.bytes)
        #expect(reader.remaining == 0)
        let value17 = reader.readUInt8()
        #expect(value17 == nil)
        let value18 = reader.skip(0)
        #expect(value18)
    }

    @Test func comparesBytes() {
        let bytes: [UInt8] = [1, 2, 3]
        #expect(bytes.span.bytes.elementsEqual([1, 2, 3]) == true)
        #expect(bytes.span.bytes.elementsEqual([1, 2]) == false)
        #expect(bytes.span.bytes.elementsEqual([1, 2, 4]) == false)
    }
}

@Suite struct ByteWriterTests {
    @Test func whatIsWrittenIsReadBack() {
        var writer = ByteWriter(capacity: 4)
        writer.write(UInt8(1))
        writer.write(UInt16(0x0203))
        writer.write(UInt32(0x0405_0607))
        writer.write(UInt64(0x0809_0A0B_0C0D_0E0F))
        writer.write(bytes: [16, 17])
        let more: [UInt8] = [18]
        writer.write(more.span.bytes)
        writer.writeZeros(2)
        writer.writeZeros(-2)
        #expect(writer.bytes == Array(1...18) + [0, 0])
        #expect(writer.count == 20)
    }

    @Test func overwritesOnlyWhatExists() {
        var writer = ByteWriter()
        writer.overwrite(0xFFFF, at: 0)
        #expect(writer.count == 0)
        writer.write(UInt32(0))
        writer.overwrite(0x1234, at: 1)
        #expect(writer.bytes == [0, 0x12, 0x34, 0])
        writer.overwrite(0xFFFF, at: 3)
        writer.overwrite(0xFFFF, at: -1)
        #expect(writer.bytes == [0, 0x12, 0x34, 0])
        writer.removeAll()
        #expect(writer.bytes.isEmpty)
    }
}
