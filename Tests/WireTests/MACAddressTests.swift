import Testing
import Wire

@Suite struct MACAddressTests {
    @Test func textAndOctetsAreTheSameAddress() throws {
        let address = try #require(MACAddress("02:00:5e:0A:ff:01"))
        #expect(address.octets == [0x02, 0x00, 0x5e, 0x0a, 0xff, 0x01])
        #expect(MACAddress(address.octets) == address)
        #expect(address.description == "02:00:5e:0a:ff:01")
        #expect(address.isLocal && !address.isGroup)
        #expect(MACAddress.broadcast.isGroup)
    }

    @Test(arguments: [
        "", "02:00:5e:0a:ff", "02:00:5e:0a:ff:01:02", "02-00-5e-0a-ff-01", "2:0:5e:a:ff:1", "02:00:5e:0a:ff:0g",
        "+2:00:5e:0a:ff:01",
        "02:00:5e:0a:ff:", ":::::",
    ])
    func otherTextIsNone(text: String) {
        #expect(MACAddress(text) == nil)
    }

    @Test func isReadAndWrittenInOrder() throws {
        let address = try #require(MACAddress("aa:bb:cc:dd:ee:ff"))
        var writer = ByteWriter()
        writer.write(address)
        #expect(writer.bytes == [0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff])
        let bytes = writer.bytes + [1]
        var reader = ByteReader(bytes.span.bytes)
        #expect(reader.readMACAddress() == address)
        #expect(reader.readMACAddress() == nil)
        #expect(reader.remaining == 1)
    }
}
