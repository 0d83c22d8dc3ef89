namespace Checkpoint.Tests;

public class StoreRegistryShownTests
{
    [Theory]
    [InlineData("/srv/state", "/srv/state")]
    [InlineData(@"C:\state:a@b", @"C:\state:a@b")]
    [InlineData("postgresql://ops:s3cret@db1,db2:5433/ci?sslmode=require", "postgresql://ops@db1,db2:5433/ci?sslmode=require")]
    [InlineData("postgresql://ops:s3c@ret@db/ci", "postgresql://ops@db/ci")]
    [InlineData("postgresql://ops@db/ci", "postgresql://ops@db/ci")]
    [InlineData("postgresql://db:5432/ci", "postgresql://db:5432/ci")]
    [InlineData("postgresql://db:5432/ci?x=a@b", "postgresql://db:5432/ci?x=a@b")]
    [InlineData("postgresql://ops:s3/cret@db/ci", "postgresql://ops@db/ci")]
    [InlineData("postgresql://ops:s3?c#ret@db/ci", "postgresql://ops@db/ci")]
    [InlineData("postgresql://ops:s3cret@db", "postgresql://ops@db")]
    [InlineData("postgresql://db/ci?password=s3cret&sslmode=require", "postgresql://db/ci?sslmode=require")]
    [InlineData("postgresql://db/ci?sslmode=require&SSLPassword=s3cret", "postgresql://db/ci?sslmode=require&")]
    [InlineData("other://a/b?x=p:q@r", "other://a/b?x=p:q@r")]
    public void A_location_is_shown_without_what_is_secret_in_it(string location, string shown) => Assert.Equal(shown, StoreRegistry.Shown(location));
}
