import Raster
import Testing

@Suite struct PictureTests {
    @Test func turnedOnItsSideWidthAndHeightChangePlaces() {
        let format = PictureFormat(width: 128, height: 296, depth: .accent(.red))
        #expect(format.turned(.quarter) == PictureFormat(width: 296, height: 128, depth: .accent(.red)))
        #expect(format.turned(.half) == format)
    }
}
